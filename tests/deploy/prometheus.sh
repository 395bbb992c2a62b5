#!/usr/bin/env bash
# Checks what is written for Prometheus: `tests/services/with promtool -- tests/deploy/prometheus.sh`. That the metrics
# themselves can be read is checked by the tests of `/metrics`, where promtool is there.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../deploy/prometheus"

promtool check rules mindflow-alerts.yml
promtool check config prometheus.yml
promtool test rules mindflow-alerts.test.yml

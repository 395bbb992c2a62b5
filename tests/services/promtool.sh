# shellcheck shell=bash disable=SC2154,SC1091 # the variables come from `with`
# promtool, which checks what is written for Prometheus; sourced by `with`.

provide_promtool() {
    if ! find_promtool; then once promtool "$$" install_promtool; fi
    command -v promtool >/dev/null || export PATH="$cache/promtool/usr/bin:$PATH"
}

find_promtool() { command -v promtool >/dev/null || [ -x "$cache/promtool/usr/bin/promtool" ]; }

install_promtool() {
    # Somebody else may have done it while this one waited.
    if find_promtool; then return; fi
    # Not installed, by root neither: the Debian package would start a Prometheus.
    apt_unpack "$cache/promtool" prometheus
}

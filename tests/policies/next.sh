#!/usr/bin/env bash
# Asks Taskwarrior for the order of sets of tasks: `tests/services/with taskwarrior -- tests/policies/next.sh FOLDER`.
# FOLDER has for each set `<name>.json`, which can be imported, and `<name>.now`, at which the clock stands still; it gets
# `<name>.next`, the ids in the order of the report `next`, and `<name>.export`, what Taskwarrior thinks of each.
set -euo pipefail
cd "$1"

# Where its data lie is the only thing that is not as it comes, and the two priorities between its own three.
export TASKRC=$PWD/taskrc TZ=UTC
cat >"$TASKRC" <<RC
data.location=$PWD/data
confirmation=off
hooks=off
verbose=nothing
uda.priority.values=H,HM,M,ML,L
urgency.uda.priority.HM.coefficient=4.95
urgency.uda.priority.ML.coefficient=2.85
RC

for set in *.json; do
    name=${set%.json}
    rm -rf data
    mkdir data
    ask() { FAKETIME=$(cat "$name.now") LD_PRELOAD=$MINDFLOW_TEST_FAKETIME "$MINDFLOW_TEST_TASKWARRIOR" "$@" </dev/null; }
    ask import "$set" >"$name.log" 2>&1 || { cat "$name.log" >&2 && exit 1; }
    ask rc.report.next.columns=uuid rc.report.next.labels=id next limit:none >"$name.next"
    ask export >"$name.export"
done

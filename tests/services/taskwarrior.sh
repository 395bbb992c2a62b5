# shellcheck shell=bash disable=SC2154,SC1091 # the variables come from `with`
# Taskwarrior as Debian packages it, whose order the policy of that name must have, and faketime, which stops its clock;
# sourced by `with`.

provide_taskwarrior() {
    find_taskwarrior || once taskwarrior "$$" install_taskwarrior
    find_taskwarrior || fail "Taskwarrior was unpacked but is not found"
    local libraries
    libraries=$(unpacked_libraries "$cache/taskwarrior")
    export MINDFLOW_TEST_TASKWARRIOR=$taskwarrior MINDFLOW_TEST_FAKETIME=$faketime
    export LD_LIBRARY_PATH="$libraries${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
}

# Sets taskwarrior to the program and faketime to the library.
find_taskwarrior() {
    local folder=$cache/taskwarrior
    taskwarrior=$folder/usr/bin/task
    faketime=$(find "$folder" -name libfaketime.so.1 2>/dev/null | head -n 1)
    [ -x "$taskwarrior" ] && [ -n "$faketime" ]
}

install_taskwarrior() {
    # Somebody else may have done it while this one waited.
    if find_taskwarrior; then return; fi
    # Not installed, by root neither: the machine of whoever uses Taskwarrior may have another version, and settings.
    apt_unpack "$cache/taskwarrior" taskwarrior faketime
}

# shellcheck shell=bash disable=SC2154,SC1091 # the variables come from `with`
# The load generator wrk; sourced by `with`.

provide_wrk() {
    if ! find_wrk; then once wrk "$$" install_wrk; fi
    if command -v wrk >/dev/null; then return; fi
    local libraries
    libraries=$(unpacked_libraries "$cache/wrk")
    export PATH="$cache/wrk/usr/bin:$PATH" LD_LIBRARY_PATH="$libraries${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
}

find_wrk() { command -v wrk >/dev/null || [ -x "$cache/wrk/usr/bin/wrk" ]; }

install_wrk() {
    # Somebody else may have done it while this one waited.
    if find_wrk; then return; fi
    if is_root; then apt_install wrk; else apt_unpack "$cache/wrk" wrk; fi
}

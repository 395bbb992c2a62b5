# shellcheck shell=bash disable=SC2154,SC1091 # the variables come from `with`
# The load generator wrk; sourced by `with`.

provide_wrk() {
    if command -v wrk >/dev/null; then return; fi
    if [ ! -x "$cache/wrk/usr/bin/wrk" ]; then once wrk debian install_wrk; fi
    if command -v wrk >/dev/null; then return; fi
    export PATH="$cache/wrk/usr/bin:$PATH"
    local libraries
    libraries=$cache/wrk/usr/lib/$(uname -m)-linux-gnu
    export LD_LIBRARY_PATH="$libraries${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
}

install_wrk() {
    if is_root; then apt_install wrk; else apt_unpack "$cache/wrk" wrk; fi
}

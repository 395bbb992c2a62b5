# shellcheck shell=bash disable=SC2154,SC1091 # the variables come from `with`
# A Chromium for the tests that need a browser; sourced by `with`.

provide_chromium() {
    if ! find_chromium; then
        # Several tests may ask at once.
        once chromium "$$" install_chromium
        find_chromium || fail "Chromium was installed but is not found"
    fi
    export MINDFLOW_TEST_CHROMIUM
}

find_chromium() {
    local candidate
    for candidate in chromium chromium-browser google-chrome; do
        if MINDFLOW_TEST_CHROMIUM=$(command -v "$candidate"); then return 0; fi
    done
    MINDFLOW_TEST_CHROMIUM=$cache/chromium/start
    [ -x "$MINDFLOW_TEST_CHROMIUM" ]
}

install_chromium() {
    # Somebody else may have done it while this one waited.
    if find_chromium; then return; fi
    if is_root; then
        apt_install chromium
        return
    fi
    apt_unpack "$cache/chromium" chromium
    cat >"$cache/chromium/start" <<START
#!/bin/sh
export LD_LIBRARY_PATH='$(unpacked_libraries "$cache/chromium")'
exec '$cache/chromium/usr/lib/chromium/chromium' "\$@"
START
    chmod +x "$cache/chromium/start"
}

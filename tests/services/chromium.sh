# A Chromium for the tests that need a browser; sourced by `with`.

provide_chromium() {
    if ! find_chromium; then
        # Several tests may ask at once.
        once chromium debian install_chromium
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
    if is_root; then
        apt_install chromium
        return
    fi
    apt_unpack "$cache/chromium" chromium
    local libraries=$cache/chromium/usr/lib/$(uname -m)-linux-gnu
    cat >"$cache/chromium/start" <<START
#!/bin/sh
export LD_LIBRARY_PATH='$libraries:$cache/chromium/lib/$(uname -m)-linux-gnu'
exec '$cache/chromium/usr/lib/chromium/chromium' "\$@"
START
    chmod +x "$cache/chromium/start"
}

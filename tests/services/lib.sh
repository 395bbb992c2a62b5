# shellcheck shell=bash disable=SC2154,SC1091 # the variables come from `with`
# Shared by the scripts of this folder; sourced by `with`.

say() { printf 'test services: %s\n' "$*" >&2; }

fail() {
    say "$*"
    exit 1
}

# Is version $1 at least version $2?
at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }

is_root() { [ "$(id -u)" = 0 ]; }

# once NAME INPUT FUNCTION: runs FUNCTION unless it has finished before with the same INPUT (a text), one process at a time.
once() {
    local stamp=$cache/$1.done
    (
        flock 9
        if [ "$(cat "$stamp" 2>/dev/null)" != "$2" ]; then
            rm -f "$stamp"
            "$3" >&2 9>&-
            printf '%s' "$2" >"$stamp"
        fi
    ) 9>"$cache/$1.lock"
}

# bounded SECONDS WHAT COMMAND...: runs a step that uses the network; its output is shown only if it fails.
bounded() {
    local seconds=$1 what=$2 log status=0
    shift 2
    say "$what"
    log=$(mktemp)
    timeout "$seconds" "$@" >"$log" 2>&1 </dev/null || status=$?
    if [ "$status" != 0 ]; then
        tail -n 40 "$log" >&2
        rm -f "$log"
        [ "$status" != 124 ] || fail "gave up after $seconds s: $what"
        fail "failed with exit code $status: $what"
    fi
    rm -f "$log"
}

has_apt() { command -v apt-get >/dev/null && command -v dpkg >/dev/null; }

# apt_install PACKAGE...: as root only.
apt_install() {
    has_apt || fail "please install: $*"
    export DEBIAN_FRONTEND=noninteractive
    if ! apt-get install --simulate "$@" >/dev/null 2>&1; then
        bounded 300 "reading the list of Debian packages (apt-get update)" apt-get update
    fi
    bounded 900 "installing the Debian packages: $*" apt-get install --yes --no-install-recommends "$@"
}

# apt_unpack FOLDER PACKAGE...: unpacks packages and what they depend on and the machine lacks; needs no rights.
apt_unpack() {
    local folder=$1 state=$1.apt missing
    shift
    has_apt || fail "please install: $*"
    local apt=(apt-get -o "Dir::State::lists=$state/lists" -o "Dir::Cache=$state/cache" -o Debug::NoLocking=1)
    rm -rf "$state" "$folder"
    mkdir -p "$state/lists/partial" "$state/cache/archives/partial" "$folder"
    bounded 300 "reading the list of Debian packages into $state" "${apt[@]}" update
    missing=$("${apt[@]}" install --simulate --no-install-recommends "$@" | sed -n 's/^Inst \([^ ]*\).*/\1/p')
    (
        cd "$state/cache" || exit
        # shellcheck disable=SC2086 # one word per package
        bounded 900 "downloading the Debian packages: $*" "${apt[@]}" download $missing
        for package in *.deb; do dpkg --extract "$package" "$folder"; done
    )
    rm -rf "$state"
}

# at_exit FUNCTION: runs FUNCTION when this shell ends, after what was asked for later.
at_exit() {
    exits=("$1" "${exits[@]-}")
    trap run_exits EXIT
    # So that the exit trap runs when this shell is told to stop.
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
}

run_exits() {
    local each
    for each in "${exits[@]}"; do [ -z "$each" ] || "$each"; done
}

# A port nobody answers on. Somebody else may take it before the server does: then another is tried.
free_port() {
    local port
    while port=$((20000 + RANDOM % 12000)) && (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do :; done
    echo "$port"
}

# Where the shared libraries of an unpacked folder lie, as LD_LIBRARY_PATH wants it.
unpacked_libraries() { find "$1" -name 'lib*.so*' -printf '%h\n' | sort -u | paste -sd :; }

# shellcheck shell=bash disable=SC2154,SC1091 # the variables come from `with`
# nginx, its path in MINDFLOW_TEST_NGINX; sourced by `with`.

provide_nginx() {
    # Installed, it would be started on port 80 by some systems: so the package is unpacked, and nothing else.
    if ! MINDFLOW_TEST_NGINX=$(PATH=$PATH:/usr/sbin command -v nginx); then
        once nginx 1 install_nginx
        MINDFLOW_TEST_NGINX=$cache/nginx/start
    fi
    export MINDFLOW_TEST_NGINX
}

install_nginx() {
    apt_unpack "$cache/nginx" nginx
    cat >"$cache/nginx/start" <<START
#!/bin/sh
export LD_LIBRARY_PATH='$(unpacked_libraries "$cache/nginx")'
exec '$cache/nginx/usr/sbin/nginx' "\$@"
START
    chmod +x "$cache/nginx/start"
}

# shellcheck shell=bash disable=SC2154,SC1091 # the variables come from `with`
# An S3 server (moto) and the Python that it runs on; sourced by `with`.

provide_s3() {
    source "$here/python.sh"
    ensure_python
    once s3 "$(cat "$here/s3-requirements.txt")" install_s3
    export MINDFLOW_TEST_S3_PYTHON=$cache/s3/bin/python
}

install_s3() {
    rm -rf "$cache/s3"
    python3 -m venv "$cache/s3"
    bounded 600 "installing the pinned S3 server into $cache/s3" \
        "$cache/s3/bin/pip" install --quiet --no-deps --disable-pip-version-check -r "$here/s3-requirements.txt"
}

#!/usr/bin/env bash
# image.sh ROOT PROGRAM DATA POLICIES USER:GROUP PORT: makes the root of the image's last stage in the folder ROOT, with the
# libraries that the program needs, and runs it there: root cannot be written, DATA can, the user is nobody the system knows.
set -euo pipefail
root=$1 program=$2 data=$3 policies=$4 user=$5 port=$6

# Namespaces of our own: mounts vanish with them, and whoever is not root becomes it inside.
if [ -z "${INSIDE:-}" ]; then
    names=(--mount --pid --fork --kill-child)
    if [ "$(id -u)" != 0 ]; then
        names+=(--map-root-user)
        export PLAIN=1
        user=0:0
    fi
    set -- "$root" "$program" "$data" "$policies" "$user" "$port"
    INSIDE=1 exec unshare "${names[@]}" "$BASH" "$0" "$@"
fi

mkdir -p "$root"/{dev,proc,tmp,etc/ssl/certs,usr/local/bin} "$root$data" "$root$policies"
chmod 755 "$root"
cp "$program" "$root/usr/local/bin/mindflow"
cp -R policies/. "$root$policies/"
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
# Debian's slim image has these libraries: the C library, its companions, and what gcc adds.
ldd "$program" | grep -oE '/[^ ]+' | while read -r library; do
    case ${library##*/} in
    libc.so.* | libm.so.* | libgcc_s.so.* | libdl.so.* | libpthread.so.* | librt.so.* | ld-linux*) ;;
    *)
        echo "$library is not in the image" >&2
        exit 1
        ;;
    esac
    mkdir -p "$root$(dirname "$library")"
    cp -L "$library" "$root$library"
done

mount --bind "$root" "$root"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=1777,size=64m tmpfs "$root/tmp"
mount -t tmpfs -o "mode=0700,size=256m,uid=${user%:*},gid=${user#*:}" tmpfs "$root$data"
mount -o remount,ro,bind "$root"
if (: >"$root/written"); then exit 1; fi

chroot=$(command -v chroot)
# In a namespace of somebody who is not root there is no other user to become.
becomes=()
[ -n "${PLAIN:-}" ] || becomes=(--userspec="$user" --groups=)
environment=(HOST=0.0.0.0 "PORT=$port" "DATA_DIR=$data" "POLICIES_DIR=$policies" ENVIRONMENT=production HOME="$data"
    PUBLIC_URL=https://mindflow.example.org)
run_in_image() {
    env -i "${environment[@]}" "$chroot" "${becomes[@]}" "$root" /usr/local/bin/mindflow "$@"
}
trap 'kill %1; wait' EXIT
run_in_image serve >"$root.log" 2>&1 &
run_in_image health --wait 60 || {
    cat "$root.log" >&2
    exit 1
}
ls -ln "$root$data"

# For `source`: Debian's forky with Docker and Podman, in a temporary folder, and a way to run things in it. Nothing of
# this machine's own engines is touched. Needs root and debootstrap, and some minutes; exits with 77 where it cannot be
# had.
#   debian_root        sets $root; `make findings` makes one for all
#   in_root < SCRIPT   runs it in there, in namespaces of its own, with no way to any network; /tmp/image.tar is the
#                      root of an image with sh and sleep
debian_root() {
    root=${FINDINGS_ROOT:-}
    if [ -z "$root" ]; then
        root=$(mktemp -d)
        trap 'rm -rf "$root"' EXIT
    fi
    [ -x "$root/usr/sbin/dockerd" ] && return
    [ "$(id -u)" = 0 ] && command -v debootstrap unshare ip >/dev/null ||
        { echo "cannot be tried here: needs root, debootstrap, unshare and ip"; exit 77; }
    local packages=ca-certificates,curl,python3,busybox-static,docker.io,docker-cli,podman,crun
    # An older debootstrap does not know forky, but all of Debian's suites are made as sid is.
    debootstrap --variant=minbase --include=$packages forky "$root" "" sid >"$root.log" 2>&1 ||
        { tail -3 "$root.log"; echo "cannot be tried here: no root of forky"; exit 77; }
}

in_root() {
    unshare --mount --net --pid --fork --kill-child bash -c '
        set -e
        mount --make-rprivate /
        mount --rbind "$0" "$0"
        cd "$0"
        mkdir -p var/lib/containers
        mount -t proc proc proc
        mount --rbind /sys sys
        umount sys/fs/cgroup/unified 2>/dev/null || true  # crun wants one version of cgroups, not both
        mount --rbind /dev dev
        for folder in run tmp var/lib/containers; do mount -t tmpfs tmpfs "$folder"; done
        ip link set lo up
        mkdir -p tmp/image/bin  # busybox and a name for it, for an image
        cp usr/bin/busybox tmp/image/bin/sh
        ln -s sh tmp/image/bin/sleep
        tar -C tmp/image -cf tmp/image.tar .
        cat >tmp/script  # a file, for what runs in it must not read the rest of it
        exec chroot . bash /tmp/script </dev/null
    ' "$root"
}

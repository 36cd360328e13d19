# What the scripts share: messages, the cache, packages. Sourced, never run.
# shellcheck shell=bash

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
SLUICE_CACHE=${SLUICE_CACHE:-${HOME:-/root}/.cache/sluice}
# The whole of the system tests runs on Debian's own Python and its modules, whatever `python3` means in PATH.
PYTHON=/usr/bin/python3
export ROOT SLUICE_CACHE PYTHON

say() { printf '%s\n' "$*" >&2; }
die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# Runs a command as root: as it is, or by sudo.
as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo -E "$@"
    else
        die "needs root or sudo for: $*"
    fi
}

# Runs a command quietly; its output is shown only when it fails.
quietly() {
    local out status=0
    out=$(mktemp)
    "$@" >"$out" 2>&1 || status=$?
    [ "$status" = 0 ] || cat "$out" >&2
    rm -f "$out"
    return "$status"
}

missing_packages() {
    local name
    for name in "$@"; do
        [ "$(dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null)" = installed ] || printf '%s\n' "$name"
    done
}

# Installs what is not there yet. Asks no registry when nothing is missing.
install_packages() {
    local missing
    mapfile -t missing < <(missing_packages "$@")
    [ "${#missing[@]}" -gt 0 ] || return 0
    say "installing: ${missing[*]}"
    # A server package must not start a service: the tests run private ones.
    export DEBIAN_FRONTEND=noninteractive
    local policy=/usr/sbin/policy-rc.d made=
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
        as_root chmod 755 "$policy"
        made=1
    fi
    local status=0
    # The first try fails where the package lists are missing or old.
    as_root apt-get install -y --no-install-recommends "${missing[@]}" >/dev/null 2>&1 ||
        { quietly as_root apt-get update &&
            quietly as_root apt-get install -y --no-install-recommends "${missing[@]}"; } || status=$?
    [ -z "$made" ] || as_root rm -f "$policy"
    return "$status"
}

# Prints where a minimal Debian of this release is (bookworm, trixie); makes it once, by debootstrap. To be copied.
debian_tree() {
    local tree=$SLUICE_CACHE/$1 mirror=${DEBIAN_MIRROR:-} # empty: the one that debootstrap knows
    mkdir -p "$SLUICE_CACHE"
    (
        flock 9
        if [ ! -e "$tree/.sluice-complete" ]; then
            say "making a minimal Debian ($1) in $tree (once)"
            as_root rm -rf --one-file-system "$tree"
            quietly as_root unshare --mount debootstrap --variant=minbase "$1" "$tree" ${mirror:+"$mirror"}
            as_root touch "$tree/.sluice-complete"
        fi
    ) 9>"$tree.lock" >&2
    printf '%s\n' "$tree"
}

# Authorities that this machine trusts besides Debian's, for a tree: of a proxy on the way to a registry, as a rule.
copy_authorities() {
    [ -d /usr/local/share/ca-certificates ] || return 0
    as_root mkdir -p "$1/usr/local/share"
    as_root cp -a /usr/local/share/ca-certificates "$1/usr/local/share/"
}

# SPDX-License-Identifier: Apache-2.0
# What the scripts share: saying what is done, installing packages, running inside the source tree.
# shellcheck shell=bash
tree=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '\n\033[1m==> %s\033[0m\n' "$*"; }
die() { printf '\n%s: %s\n' "$(basename "$0")" "$*" >&2; exit 1; }
is_root() { [ "$(id -u)" = 0 ]; }

# What must come before everything else when namespaces and BPF are used; says in one sentence what is missing.
need_root() { is_root || die "this needs root (network namespaces and BPF); try: sudo $0"; }
need_namespaces_and_bpf() {
  local release; release=$(uname -r)
  printf '6.1\n%s\n' "${release%%-*}" | sort -VC || die "Linux 6.1 or newer is needed, this is $release"
  unshare --net true 2>/dev/null || die "network namespaces cannot be made here (a container without CAP_SYS_ADMIN?)"
  unshare --net ip link add test0 type veth peer name test1 2>/dev/null || die "this kernel has no veth devices"
  unshare --net ip link add test0 type bridge 2>/dev/null || die "this kernel has no bridge devices"
  bpftool map list >/dev/null 2>&1 || die "the bpf() system call is refused here (a container, or kernel lockdown?)"
}

# packages SECTION...: the names in these sections of scripts/packages
packages() {
  awk -v wanted=" $* " '/^\[/ { take = index(wanted, " " substr($0, 2, length($0) - 2) " "); next }
                        take && !/^#/ && NF' "$tree/scripts/packages"
}
installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }
known() { [ -n "$(apt-cache show "$1" 2>/dev/null)" ]; }

# missing SECTION...: of each line not yet satisfied, all its alternatives
missing() {
  local line name found
  while read -r line; do
    found=
    for name in ${line//|/ }; do installed "$name" && found=yes; done
    [ -n "$found" ] || echo "$line"
  done < <(packages "$@")
}

# install SECTION...: what is missing there. Nothing at all is done when nothing is missing, so it works offline then.
install() {
  local lines line name choice=()
  mapfile -t lines < <(missing "$@")
  [ ${#lines[@]} -gt 0 ] || return 0
  is_root || die "packages are missing (as root: apt-get install ${lines[*]%% *})"
  command -v apt-get >/dev/null || die "this is not Debian; install the equivalents of: ${lines[*]}"
  say "Installing ${#lines[@]} packages: ${lines[*]}"
  apt-get -qq -o Acquire::Retries=3 update || die "apt-get update failed"
  for line in "${lines[@]}"; do
    for name in ${line//|/ } ''; do known "${name:-none}" && break; done
    choice+=("${name:-${line%% *}}")
  done
  without_starting_services apt_install "${choice[@]}" || exit 1
}
apt_install() {
  local log; log=$(mktemp)
  DEBIAN_FRONTEND=noninteractive apt-get -qq -o Acquire::Retries=3 -o Dpkg::Use-Pty=0 \
    install -y --no-install-recommends "$@" >"$log" 2>&1 || { cat "$log"; rm "$log"; die "apt-get install failed"; }
  rm "$log"
}

# These are here to be run by us, in namespaces: their packages must neither start them on this host nor have them
# started at the next boot. A policy-rc.d that is there already is the administrator's and stays.
without_starting_services() (
  units='nginx ssh keepalived ldirectord'
  policy=/usr/sbin/policy-rc.d was_there=' '
  for unit in $units; do [ ! -e "/lib/systemd/system/$unit.service" ] || was_there+="$unit "; done
  if [ ! -e $policy ]; then
    trap 'rm -f $policy' EXIT
    trap 'exit 130' INT TERM
    printf '#!/bin/sh\nexit 101\n' >$policy && chmod 755 $policy
  fi
  RUNLEVEL=1 "$@" || exit 1
  command -v systemctl >/dev/null || exit 0
  for unit in $units; do
    case $was_there in *" $unit "*) ;; *) systemctl --quiet disable "$unit" 2>/dev/null || true ;; esac
  done
)

# in_tree COMMAND...: as the owner of the source tree, so that `sudo scripts/…` leaves no files of root in it.
in_tree() {
  local owner; owner=$(stat -c %U "$tree")
  if is_root && [ "$owner" != root ] && id "$owner" >/dev/null 2>&1; then
    runuser -u "$owner" -- "$@"
  else
    "$@"
  fi
}

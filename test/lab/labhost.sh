#!/bin/bash
# Real systemd hosts as containers on an overlay of one base root.
# usage: labhost.sh net-up | net-down | up NAME LASTOCTET BASE | wait NAME | sh NAME CMD... |
#                   reboot NAME | link NAME up|down | down NAME
# env: LAB (directory of this lab), LABNET (unique name, at most 9 characters), LABOPTIONS (more
#      options for systemd-nspawn, one per line)
set -eu
export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 SYSTEMD_NSPAWN_API_VFS_WRITABLE=network
BRIDGE=lab0
SUBNET=10.99.0
HOSTPATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

# One control group per host, else they share one and see each other's processes.
cgroups() {
  if [ -f /sys/fs/cgroup/cgroup.controllers ]; then echo /sys/fs/cgroup; return; fi
  for root in /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do
    if [ -d "$root" ]; then echo "$root"; fi
  done
}

# The host's own PID 1, by the process tree under its loop.
leader() {
  local loop spawn child
  loop=$(cat "$1/loop.pid")
  for _ in $(seq 300); do
    kill -0 "$loop" 2>/dev/null || return 1
    for spawn in $(pgrep -P "$loop" -x systemd-nspawn || true); do
      for child in $(pgrep -P "$spawn" || true); do
        case "$(cat "/proc/$child/comm" 2>/dev/null)" in
          systemd | init | runit) echo "$child"; return ;;
        esac
      done
    done
    sleep 0.02
  done
  return 1
}

# The capabilities that nspawn left a host's PID 1, as setpriv names them.
bounds() {
  local mask set=-all bit
  mask=$((16#$(awk '$1 == "CapBnd:" { print $2 }' "/proc/$1/status")))
  for bit in $(seq 0 40); do
    [ $(((mask >> bit) & 1)) = 0 ] || set=$set,+cap_$bit
  done
  echo "$set"
}

case $1 in
net-up)
  ip netns add "$LABNET"
  ip -n "$LABNET" link set lo up
  # Of its own: else a bridge takes the lowest address of its ports, and hosts that know another one by ARP
  # do not reach the server for half a minute whenever a host comes or goes.
  ip -n "$LABNET" link add $BRIDGE address 02:00:0a:63:00:01 type bridge
  ip -n "$LABNET" addr add $SUBNET.1/24 dev $BRIDGE
  ip -n "$LABNET" link set $BRIDGE up
  ;;
net-down)
  ip netns del "$LABNET" 2>/dev/null || true
  for root in $(cgroups); do rmdir "$root/$LABNET" 2>/dev/null || true; done
  ;;
up)
  n=$2 o=$3 base=$4 h=$LAB/hosts/$2
  mkdir -p "$h/upper" "$h/work" "$h/root"
  mount -t overlay overlay -o "lowerdir=$base,upperdir=$h/upper,workdir=$h/work" "$h/root"
  echo "$n" >"$h/root/etc/hostname"
  printf '127.0.0.1 localhost\n127.0.1.1 %s\n%s.1 labserver\n' "$n" $SUBNET >"$h/root/etc/hosts"
  rm -f "$h/root/etc/resolv.conf"
  echo nameserver 127.0.0.1 >"$h/root/etc/resolv.conf"
  : >"$h/root/etc/machine-id"
  rm -f "$h/root/var/lib/dbus/machine-id"
  ip netns add "$LABNET-$n"
  ip -n "$LABNET-$n" link set lo up
  ip link add "v$n" netns "$LABNET" type veth peer name host0 netns "$LABNET-$n"
  ip -n "$LABNET" link set "v$n" master $BRIDGE up
  ip -n "$LABNET-$n" addr add "$SUBNET.$o/24" dev host0
  ip -n "$LABNET-$n" link set host0 up
  ip -n "$LABNET-$n" route add default via $SUBNET.1
  for root in $(cgroups); do mkdir -p "$root/$LABNET/$n"; done
  mapfile -t options <<<"${LABOPTIONS:-}"
  [ -n "${options[0]}" ] || options=()
  # nspawn ends with 133 when the host reboots. A host whose PID 1 may not call reboot(2), as under
  # a bounding set without CAP_SYS_BOOT, ends with 0 instead: then the mark says to boot it again.
  setsid bash -c 'groups=$1 mark=$2; shift 2
    for group in $groups; do echo $$ >"$group/cgroup.procs"; done
    while :; do "$@"; [ $? = 133 ] || [ -e "$mark" ] || break; rm -f "$mark"; done' _ \
    "$(for root in $(cgroups); do echo "$root/$LABNET/$n"; done)" "$h/reboot" \
    systemd-nspawn -q -D "$h/root" "--machine=$LABNET-$n" "--hostname=$n" --register=no --keep-unit \
    -b --console=pipe --resolv-conf=off "--network-namespace-path=/run/netns/$LABNET-$n" \
    --capability=CAP_NET_ADMIN "${options[@]}" </dev/null >"$h/console.log" 2>&1 &
  echo $! >"$h/loop.pid"
  leader "$h" >/dev/null
  ;;
wait)
  p=$(leader "$LAB/hosts/$2")
  for _ in $(seq 600); do
    case "$(cat "/proc/$p/comm")" in
      systemd) s=$("$0" sh "$2" systemctl is-system-running 2>/dev/null || true) ;;
      init | runit) s=$("$0" sh "$2" sh -c 'test -e /run/lab-booted && echo running' || true) ;;
    esac
    case "$s" in running | degraded) echo "$s"; exit 0 ;; esac
    sleep 0.1
  done
  echo "timeout: $s"
  exit 1
  ;;
sh)
  # Through the host's PID 1, so with the capabilities and system calls of the host only: a plain
  # nsenter would keep every right of the machine's root, such as setting its clock.
  h=$LAB/hosts/$2
  shift 2
  p=$(leader "$h")
  enter=(nsenter -t "$p" -m -u -i -n -p -C -- env -i PATH=$HOSTPATH)
  if [ "$(cat "/proc/$p/comm")" != systemd ]; then
    # No unit can be had of it, so the same bounds are set on the command itself.
    exec "${enter[@]}" TERM=dumb HOME=/root setpriv --bounding-set="$(bounds "$p")" -- "$@"
  fi
  exec "${enter[@]}" setpriv --bounding-set=-sys_time,-sys_module,-sys_rawio \
    systemd-run -q -G --wait --pipe -E TERM=dumb -E HOME=/root -E PATH=$HOSTPATH -- "$@"
  ;;
reboot)
  h=$LAB/hosts/$2
  before=$(leader "$h")
  : >"$h/reboot"
  case "$(cat "/proc/$before/comm")" in
    systemd) "$0" sh "$2" systemctl --no-block reboot || true ;;
    # An orderly end would leave the overlay mounted read-only; this is how a power loss looks.
    *) kill -9 "$before" ;;
  esac
  for _ in $(seq 600); do
    [ "$(leader "$h" || echo "$before")" = "$before" ] || exit 0
    sleep 0.1
  done
  echo "the host does not go down"
  exit 1
  ;;
link)
  ip -n "$LABNET" link set "v$2" "$3"
  ;;
down)
  n=$2 h=$LAB/hosts/$2
  p=$(cat "$h/loop.pid" 2>/dev/null || echo 0)
  if [ "$p" != 0 ] && grep -qsF "$h/root" "/proc/$p/cmdline"; then
    l=$(leader "$h" || true)
    [ -z "$l" ] || kill -9 "$l" 2>/dev/null || true
    for _ in $(seq 100); do kill -0 "$p" 2>/dev/null || break; sleep 0.05; done
    for s in $(pgrep -P "$p" || true); do kill -9 "$s" 2>/dev/null || true; done
    kill -9 "$p" 2>/dev/null || true
  fi
  ip -n "$LABNET" link del "v$n" 2>/dev/null || true
  for _ in $(seq 50); do
    mountpoint -q "$h/root" || break
    umount "$h/root" 2>/dev/null || sleep 0.1
  done
  ip netns del "$LABNET-$n" 2>/dev/null || true
  for root in $(cgroups); do
    find "$root/$LABNET/$n" -depth -type d -exec rmdir {} \; 2>/dev/null || true
  done
  mountpoint -q "$h/root" || rm -rf --one-file-system "$h"
  ;;
esac

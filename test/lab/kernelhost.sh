#!/bin/bash
# Debian hosts with a kernel of their own (user-mode-linux), in the network of labhost.sh.
# usage: kernelhost.sh up NAME LASTOCTET IMAGE [KERNEL-ARGUMENT...] | wait NAME | sh NAME COMMAND |
#                      pid NAME | cut NAME | boot NAME | down NAME
# env: LAB (directory of this lab), LABNET (unique name, at most 9 characters), LABSHARES (lines of
#      "NAME DIRECTORY": what the host sees below /opt, read-only)
set -eu
name=$2 h=$LAB/hosts/$2
rebooted=133

# True while the process in this file is one of this host's; the pid could be another's by now.
runs() {
  local pid
  pid=$(cat "$h/$1" 2>/dev/null || echo 0)
  [ "$pid" != 0 ] && tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -qF "$h/"
}

alive() {
  runs uml.pid
}

hang_up() {
  if runs ssh.pid; then kill -9 "$(cat "$h/ssh.pid")" 2>/dev/null || true; fi
  rm -f "$h/ssh"
}

boot() {
  setsid "$0" loop "$name" </dev/null >>"$h/loop.log" 2>&1 &
  echo $! >"$h/loop.pid"
}

# As a power cut: what the kernel had not written is lost.
cut_power() {
  if alive; then kill -9 -- "-$(cat "$h/uml.pid")" 2>/dev/null || true; fi
  for _ in $(seq 200); do kill -0 "$(cat "$h/loop.pid")" 2>/dev/null || break; sleep 0.02; done
}

case $1 in
up)
  mkdir -p "$h/share"
  echo "$4" >"$h/image"
  echo "$3" >"$h/octet"
  printf '%s\n' "${LABSHARES:-}" >"$h/shares"
  while read -r share _; do [ -z "$share" ] || mkdir -p "$h/share/$share"; done <"$h/shares"
  shift 4
  echo "$*" >"$h/arguments"
  truncate -s 64M "$h/second.img" "$h/third.img"
  ip -n "$LABNET" tuntap add "t$name" mode tap
  # The host's driver drops what is longer than a frame, so it is cut on this side.
  ip -n "$LABNET" link set "t$name" gso_max_segs 1
  ip -n "$LABNET" link set "t$name" master lab0 up
  boot
  ;;
loop)
  # The shares are mounted inside the namespace that "ip netns exec" makes, so they end with it.
  while :; do
    : >"$h/console.log"
    setsid ip netns exec "$LABNET" bash -eu -c '
      h=$1 image=$2; shift 2
      while read -r share from; do
        [ -n "$share" ] || continue
        mount --bind "$from" "$h/share/$share"
        mount -o remount,bind,ro "$h/share/$share"
      done <"$h/shares"
      exec setpriv --bounding-set=-sys_time,-sys_boot,-sys_module env TMPDIR=/dev/shm \
        LD_PRELOAD="$image/shim.so" "$image/linux.uml" "$@"' _ "$h" "$(cat "$h/image")" \
      mem=512M "uml_dir=$h/" umid=uml "hostfs=$h/share" \
      "ubd0=$h/root.cow,$(cat "$h/image")/root.img" "ubd1=$h/second.img" "ubd2=$h/third.img" root=/dev/ubda rw \
      con=null con0=null,fd:2 ssl=null "vec0:transport=tap,ifname=t$name,depth=64" \
      "lab.address=10.99.0.$(cat "$h/octet")" "lab.name=$name" $(cat "$h/arguments") \
      </dev/null >>"$h/console.log" 2>&1 &
    echo $! >"$h/uml.pid"
    wait $! && code=0 || code=$?
    [ $code = $rebooted ] || break
  done
  ;;
wait)
  for _ in $(seq 1200); do
    if grep -qs '^lab-ready' "$h/console.log"; then ready=yes; break; fi
    alive || sleep 0.5
    sleep 0.1
  done
  if [ -z "${ready-}" ]; then echo "the host does not boot:"; tail -40 "$h/console.log"; exit 1; fi
  hang_up
  # A bridge may take a moment to know where a host that comes back is.
  for _ in $(seq 20); do
    setsid ip netns exec "$LABNET" ssh -i "$(cat "$h/image")/key" -o ControlPath="$h/ssh" \
      -o ControlMaster=yes -o StrictHostKeyChecking=no -o LogLevel=ERROR -o BatchMode=yes \
      -o UserKnownHostsFile=/dev/null -o ConnectTimeout=10 -N "root@10.99.0.$(cat "$h/octet")" \
      </dev/null >"$h/ssh.log" 2>&1 &
    echo $! >"$h/ssh.pid"
    while kill -0 $! 2>/dev/null; do
      [ ! -S "$h/ssh" ] || exit 0
      sleep 0.02
    done
  done
  cat "$h/ssh.log"
  exit 1
  ;;
sh)
  shift 2
  exec ssh -o ControlPath="$h/ssh" -o LogLevel=ERROR -o BatchMode=yes lab "$@"
  ;;
pid) cat "$h/uml.pid" ;;
cut)
  cut_power
  hang_up
  : >"$h/console.log"
  ;;
boot) boot ;;
down)
  cut_power
  hang_up
  ip -n "$LABNET" link del "t$name" 2>/dev/null || true
  if ! alive; then rm -rf --one-file-system "$h"; fi
  ;;
esac

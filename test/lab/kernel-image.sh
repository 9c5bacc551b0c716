#!/bin/bash
# Builds what hosts with a kernel of their own need: the kernel (user-mode-linux), the shim it runs
# under, a root disk labelled for SELinux, and the key to log in with.
# usage: kernel-image.sh BASE WORK, with the packages (.deb) in WORK/packages
set -eu
base=$1 work=$2 here=$(dirname "$0")
root=$work/root

# So many of the policy's 331 modules that it loads and the tests have something to tell apart: the
# whole takes twenty seconds to link, and seconds more at each change.
modules='base unconfined staff unprivuser xdg xserver getty ssh cron hostname clock shutdown apt
  apache tzdata'
# Of no use here, and each costs part of a second at boot.
masked='e2scrub_reap.service apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer
  e2scrub_all.timer fstrim.timer systemd-tmpfiles-clean.timer systemd-update-utmp.service
  systemd-update-utmp-runlevel.service systemd-journal-catalog-update.service
  systemd-update-done.service systemd-hwdb-update.service systemd-binfmt.service
  systemd-pstore.service systemd-firstboot.service systemd-sysusers.service
  kmod-static-nodes.service sys-kernel-debug.mount sys-kernel-tracing.mount dev-mqueue.mount
  dev-hugepages.mount systemd-ask-password-console.path systemd-ask-password-wall.path'

gcc -O2 -shared -fPIC -o "$work/shim.so" "$here/kernel-shim.c" -ldl
ssh-keygen -q -t ed25519 -N '' -f "$work/key"

cleanup() {
  for path in "$work/disk/proc" "$work/disk" "$root"; do
    if mountpoint -q "$path"; then umount "$path"; fi
  done
}
trap cleanup EXIT
mkdir -p "$work/upper" "$work/work" "$root" "$work/disk" "$work/kernel"
mount -t overlay overlay -o "lowerdir=$base,upperdir=$work/upper,workdir=$work/work" "$root"

# Unpacked only: what the packages' scripts would do is done below where it is needed, in a tenth of
# the time.
for file in "$work"/packages/*.deb; do
  case $file in
    */user-mode-linux_*) to=$work/kernel ;;
    *) to=$root ;;
  esac
  dpkg-deb --fsys-tarfile "$file" | tar -x -C "$to" --keep-directory-symlink \
    --exclude='./usr/share/doc/*' --exclude='./usr/share/man/*' --exclude='./usr/share/locale/*'
done
mv "$work/kernel/usr/bin/linux.uml" "$work/linux.uml"
mkdir -p "$root/usr/lib/modules"
mv "$work"/kernel/usr/lib/uml/modules/* "$root/usr/lib/modules/"

printf 'SELINUX=enforcing\nSELINUXTYPE=default\n' >"$root/etc/selinux/config"
# What the host sees of this machine bears no labels of its own.
echo '(genfscon hostfs "/" (system_u object_r bin_t ((s0) (s0))))' >"$root/root/lab.cil"
install=(-i/root/lab.cil)
for module in $modules; do install+=("-i/usr/share/selinux/default/$module.pp.bz2"); done
chroot "$root" semodule -n -s default -X 100 "${install[@]}" 2>"$work/semodule.log" ||
  { cat "$work/semodule.log"; exit 1; }

ssh-keygen -q -t ed25519 -N '' -f "$root/etc/ssh/ssh_host_ed25519_key"
printf 'PermitRootLogin yes\nUsePAM yes\nUseDNS no\nMaxSessions 100\nSetEnv PATH=%s\n' \
  /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin >"$root/etc/ssh/sshd_config"
echo 'sshd:x:105:65534::/run/sshd:/usr/sbin/nologin' >>"$root/etc/passwd"
for group in input render sgx kvm; do echo "$group:x:$((900 + ${#group})):" >>"$root/etc/group"; done
mkdir -p -m 700 "$root/root/.ssh"
cp "$work/key.pub" "$root/root/.ssh/authorized_keys"
printf '/dev/ubda / ext4 defaults 0 1\n' >"$root/etc/fstab"
: >"$root/etc/machine-id"
rm -f "$root/etc/hostname"

units=$root/etc/systemd/system
for unit in $masked; do ln -sf /dev/null "$units/$unit"; done
cat >"$units/lab-host.service" <<'UNIT'
[Unit]
DefaultDependencies=no
After=systemd-remount-fs.service
Before=ssh.service
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/local/sbin/lab-host
UNIT
cat >"$units/lab-ready.service" <<'UNIT'
[Unit]
After=sysinit.target lab-host.service ssh.service local-fs.target swap.target
[Service]
Type=oneshot
ExecStart=/bin/sh -c 'echo lab-ready >/dev/console'
UNIT
ln -sf multi-user.target "$units/default.target"
rm -f "$units/multi-user.target.wants/"* "$root"/lib/systemd/system/multi-user.target.wants/*
for unit in lab-host lab-ready ssh dbus systemd-user-sessions; do
  [ -e "$units/$unit.service" ] && from=.. || from=/lib/systemd/system
  ln -sf "$from/$unit.service" "$units/multi-user.target.wants/$unit.service"
done
mkdir -p "$units/systemd-udev-trigger.service.d"
printf '[Service]\nExecStart=\nExecStart=udevadm trigger --action=add %s\n' \
  '--subsystem-match=block --subsystem-match=net' \
  >"$units/systemd-udev-trigger.service.d/lab.conf"
cat >"$root/usr/local/sbin/lab-host" <<'SCRIPT'
#!/bin/sh
for word in $(cat /proc/cmdline); do
  case $word in
    lab.address=*) address=${word#*=} ;;
    lab.name=*) name=${word#*=} ;;
  esac
done
if [ ! -s /etc/hostname ]; then
  echo "$name" >/etc/hostname
  hostname "$name"
fi
ip link set lo up
ip addr add "$address/24" dev vec0
ip link set vec0 up
mount -t hostfs -o ro none /opt
SCRIPT
chmod 755 "$root/usr/local/sbin/lab-host"

mke2fs -q -t ext4 -d "$root" -L root "$work/root.img" 1G
mount -o loop,noatime "$work/root.img" "$work/disk"
mount -t proc proc "$work/disk/proc"
chroot "$work/disk" setfiles -m -F /etc/selinux/default/contexts/files/file_contexts / \
  2>"$work/setfiles.log" || { cat "$work/setfiles.log"; exit 1; }
cleanup
trap - EXIT
rm -rf "$work/upper" "$work/work" "$root" "$work/disk" "$work/kernel" "$work/packages" \
  "$work"/*.log "$work/key.pub"

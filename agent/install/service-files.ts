import { currentProgram, logFile, logRotation, pidFile, serviceName } from './layout.ts';

/** Init systems by the names of their service managers. */
export const initSystems = ['systemd', 'openrc', 'sysv', 'runit'] as const;
export type InitSystem = (typeof initSystems)[number];

export interface ServiceFile {
  readonly path: string;
  readonly text: string;
  readonly mode: number;
}

/**
 * The C library keeps memory apart for each thread that ever asked at the same time; the agent's work is
 * on one. Saves some 5 MB (perf/memory.ts). What the agent starts gets an environment of its own, without it.
 */
const arenas = 'MALLOC_ARENA_MAX=1';

const unit = `# Written by \`vigo install\`; change it with a drop-in: systemctl edit ${serviceName}
[Unit]
Description=Vigo agent: keeps this machine as its owners declared
After=network.target
# Whatever happens, it is started again: nobody else would repair this machine.
StartLimitIntervalSec=0

[Service]
ExecStart=${currentProgram} daemon
Restart=always
RestartSec=2
# Only the agent itself ends: what policy started with it (a process, a reboot) goes on.
KillMode=process
TimeoutStopSec=90
# One pool of memory for all threads: 5 MB less. What policy runs does not inherit it.
Environment=${arenas}
# What policy runs gets the usual one.
UMask=0022

# What the agent never needs. Commands of policy run with the same bounds.
# The clock: it belongs to a time service. Then: accounting, audit logs, wake-up timers, consoles,
# and the rights of a security module that Linux distributions seldom use.
CapabilityBoundingSet=~CAP_SYS_TIME CAP_SYS_PACCT CAP_AUDIT_READ CAP_WAKE_ALARM
CapabilityBoundingSet=~CAP_BLOCK_SUSPEND CAP_SYS_TTY_CONFIG CAP_LEASE CAP_MAC_OVERRIDE
SystemCallFilter=~@clock @cpu-emulation @obsolete
SystemCallErrorNumber=EPERM
RestrictAddressFamilies=~AF_APPLETALK AF_ATMPVC AF_ATMSVC AF_AX25 AF_CAN AF_DECnet AF_IEEE802154
RestrictAddressFamilies=~AF_IPX AF_PHONET AF_RDS AF_ROSE AF_TIPC AF_X25
RestrictRealtime=yes
LockPersonality=yes
KeyringMode=private
# Secrets of policy are in its memory only.
LimitCORE=0

# What it cannot drop, and why:
# ProtectSystem, ProtectHome, PrivateTmp, ReadOnlyPaths  its job is to write anywhere
# PrivateMounts and all of the kind above                its mounts must be everybody's (mount, swap)
# PrivateDevices, DevicePolicy, ProtectClock             file systems and swap on devices
# ProtectKernelModules, ProtectKernelTunables            kernel_module, sysctl
# ProtectHostname, PrivateNetwork, IPAddressDeny         hostname; the server; packages
# ProtectProc, ProcSubset                                process, service and traits read all of /proc
# PrivateUsers, User, DynamicUser                        it acts as root
# NoNewPrivileges                                        sudo and SELinux in package scripts
# RestrictSUIDSGID                                       files and packages with such modes
# RestrictNamespaces, SystemCallArchitectures            containers and 32-bit programs of policy
# MemoryDenyWriteExecute                                 the program compiles its own code

[Install]
WantedBy=multi-user.target
`;

const openrc = `#!/sbin/openrc-run
# Written by \`vigo install\`.
name="Vigo agent"
description="Keeps this machine as its owners declared"
supervisor=supervise-daemon
command=${currentProgram}
command_args=daemon
pidfile=${pidFile}
output_log=${logFile}
error_log=${logFile}
# Whatever happens, it is started again: nobody else would repair this machine.
respawn_delay=2
respawn_max=0
retry="TERM/90/KILL/5"
export ${arenas}

depend() {
	use net logger
	after firewall
}
`;

const sysv = `#!/bin/sh
### BEGIN INIT INFO
# Provides:          ${serviceName}
# Required-Start:    $local_fs $remote_fs
# Required-Stop:     $local_fs $remote_fs
# Should-Start:      $network $syslog
# Should-Stop:       $network $syslog
# Default-Start:     2 3 4 5
# Default-Stop:      0 1 6
# Short-Description: Vigo agent
# Description:       Keeps this machine as its owners declared.
### END INIT INFO
# chkconfig: 2345 80 20
# Written by \`vigo install\`.

PIDFILE=${pidFile}
log=${logFile}
stop_seconds=90

# The process that starts the agent again whenever it ends, and ends it when it is told to.
supervise() {
	child= stopping=
	trap 'stopping=1; [ -z "$child" ] || kill -TERM "$child" 2>/dev/null' TERM INT
	trap '' HUP
	echo $$ >"$PIDFILE"
	while [ -z "$stopping" ]; do
		${arenas} ${currentProgram} daemon >>"$log" 2>&1 &
		child=$!
		# A signal ends the first wait, not the agent.
		wait "$child"
		[ -z "$stopping" ] || { wait "$child"; break; }
		sleep 2 &
		child=$!
		wait "$child"
	done
	rm -f "$PIDFILE"
}

running() {
	pid=$(cat "$PIDFILE" 2>/dev/null) && [ -n "$pid" ] || return 1
	tr '\\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -q "${serviceName} supervise"
}

await() {
	left=$(($2 * 10))
	while [ "$left" -gt 0 ]; do
		if running; then now=up; else now=down; fi
		[ "$now" != "$1" ] || return 0
		left=$((left - 1))
		sleep 0.1 2>/dev/null || { sleep 1; left=$((left - 9)); }
	done
	return 1
}

start() {
	! running || return 0
	cd / || return 1
	detach=
	[ -z "$(command -v setsid)" ] || detach=setsid
	$detach /bin/sh /etc/init.d/${serviceName} supervise </dev/null >/dev/null 2>&1 &
	await up 5
}

stop() {
	running || { rm -f "$PIDFILE"; return 0; }
	kill -TERM "$pid"
	await down "$stop_seconds"
}

case "$1" in
start | stop) "$1" ;;
restart | force-reload) stop && start ;;
status)
	if running; then echo "${serviceName} is running"; exit 0; fi
	if [ -e "$PIDFILE" ]; then echo "${serviceName} is dead"; exit 1; fi
	echo "${serviceName} is stopped"
	exit 3
	;;
supervise) supervise ;;
*)
	echo "usage: $0 {start|stop|restart|force-reload|status}" >&2
	exit 2
	;;
esac
`;

const runit = `#!/bin/sh
# Written by \`vigo install\`.
exec </dev/null >>${logFile} 2>&1
export ${arenas}
exec ${currentProgram} daemon
`;

const rotation = `# Written by \`vigo install\`.
${logFile} {
	weekly
	rotate 4
	maxsize 20M
	compress
	missingok
	notifempty
	copytruncate
}
`;

/** The one file that makes the agent a service there. */
export function serviceFile(init: InitSystem): ServiceFile {
  switch (init) {
    case 'systemd':
      return { path: `/etc/systemd/system/${serviceName}.service`, text: unit, mode: 0o644 };
    case 'openrc':
      return { path: `/etc/init.d/${serviceName}`, text: openrc, mode: 0o755 };
    case 'sysv':
      return { path: `/etc/init.d/${serviceName}`, text: sysv, mode: 0o755 };
    case 'runit':
      return { path: `/etc/sv/${serviceName}/run`, text: runit, mode: 0o755 };
  }
}

export const rotationFile: ServiceFile = { path: logRotation, text: rotation, mode: 0o644 };

import type { Target } from '../executors/contract.ts';
import { commandRefusal } from './guardrail-commands.ts';
import { coversProtected, isProtected, segmentsOf, wildcardMatch } from './guardrail-paths.ts';
import { type ServerAddress, trafficRefusal } from './guardrail-traffic.ts';

/**
 * What policy may never touch: the agent, the server, their files, packages and services.
 * The lists are fixed; the layout only adds the places of this installation.
 */
export interface GuardLayout {
  /** Absolute paths; everything below them is protected too. */
  readonly paths: readonly string[];
  /** Service names without a suffix such as ".service". */
  readonly services: readonly string[];
  readonly packages: readonly string[];
  /** Users and groups whose end or other number would leave nothing that can repair. */
  readonly accounts: readonly string[];
  /** What firewall rules must leave open; only the node knows it. */
  readonly server?: ServerAddress;
}

export interface Refusal {
  readonly target: Target;
  /** One sentence for a person. */
  readonly reason: string;
}

/** An interpreter, and what it interprets. */
const programWords = 2;

export const standardLayout: GuardLayout = {
  paths: [
    '/usr/local/sbin/vigo',
    '/usr/local/bin/vigo',
    '/usr/local/lib/vigo',
    '/etc/init.d/vigo-envoy',
    '/etc/systemd/system/multi-user.target.wants/vigo-envoy.service',
    '/etc/runlevels/default/vigo-envoy',
    '/etc/service/vigo-envoy',
    '/var/service/vigo-envoy',
    '/etc/sv/vigo-envoy',
    '/etc/logrotate.d/vigo-envoy',
    '/etc/update-motd.d/60-vigo',
    '/etc/profile.d/vigo.sh',
    '/var/log/vigo-envoy.log',
    '/run/vigo-envoy.pid',
    '/usr/local/sbin/vigosrv',
    '/usr/local/bin/vigosrv',
    '/usr/local/sbin/vigocli',
    '/usr/local/bin/vigocli',
    '/etc/vigo-envoy',
    '/etc/vigo',
    '/var/lib/vigo',
    '/usr/local/etc/vigo-envoy',
    '/usr/local/etc/rc.d/vigo_envoy',
    '/Library/Vigo',
    '/Library/LaunchDaemons/com.vigo.envoy.plist',
    '/lib/svc/manifest/site/vigo-envoy.xml',
    '/var/svc/manifest/site/vigo-envoy.xml',
    '/etc/systemd/system/vigo-envoy.service',
    '/etc/systemd/system/vigo-envoy.service.d',
    '/etc/systemd/system/vigosrv.service',
    '/etc/systemd/system/vigosrv.service.d',
    '/lib/systemd/system/vigo-envoy.service',
    '/lib/systemd/system/vigosrv.service',
    '/usr/lib/systemd/system/vigo-envoy.service',
    '/usr/lib/systemd/system/vigosrv.service',
    // systemd reads these for the agent's unit too: by prefix, for every service, and by target.
    ...['/etc', '/run', '/usr/lib', '/lib', '/usr/local/lib'].flatMap((root) => [
      `${root}/systemd/system/vigo-.service.d`,
      `${root}/systemd/system/service.d`,
      `${root}/systemd/system.control`,
    ]),
    ...['vigo-envoy', 'vigosrv'].flatMap((name) => [
      `/run/systemd/system/${name}.service`,
      `/run/systemd/system/${name}.service.d`,
      `/usr/lib/systemd/system/${name}.service.d`,
      `/etc/systemd/system/multi-user.target.wants/${name}.service`,
      `/etc/default/${name}`,
      `/etc/conf.d/${name}`,
      `/etc/runlevels/default/${name}`,
    ]),
    '/srv/vigo',
  ],
  services: ['vigo-envoy', 'vigo_envoy', 'com.vigo.envoy', 'vigosrv'],
  packages: ['vigo', 'vigosrv', 'vigocli'],
  accounts: ['root'],
};

/** The standard lists and further paths of this installation (state, configuration, homes). */
export function guardLayout(paths: readonly string[], server?: ServerAddress): GuardLayout {
  return {
    ...standardLayout,
    paths: [...standardLayout.paths, ...paths],
    ...(server === undefined ? {} : { server }),
  };
}

/**
 * The reason why a resource or task may not have this target, or undefined. Pure: compares after
 * resolving `.`, `..`, case and globs; the node calls it again with links resolved.
 */
export function checkTarget(target: Target, layout: GuardLayout): Refusal | undefined {
  const reason = refusalReason(target, layout);
  return reason === undefined ? undefined : { target, reason };
}

function refusalReason(target: Target, layout: GuardLayout): string | undefined {
  switch (target.kind) {
    case 'path':
      return pathReason(target, layout);
    case 'service':
      if (target.effect !== 'stop' && target.effect !== 'remove') return undefined;
      return protectedName(serviceName(target.value), layout.services)
        ? `service ${target.value} keeps Vigo running and may not be stopped or disabled`
        : undefined;
    case 'package':
      if (target.effect !== 'remove') return undefined;
      return protectedName(target.value.split(/[=:/]/)[0]!, layout.packages)
        ? `package ${target.value} is part of Vigo and may not be removed`
        : undefined;
    case 'account':
      if (target.effect !== 'remove') return undefined;
      return layout.accounts.includes(target.value.toLowerCase())
        ? `account ${target.value} may be neither removed nor renumbered`
        : undefined;
    case 'traffic':
      return layout.server && trafficRefusal(target.value, layout.server);
    case 'command':
      return commandRefusal(target.value, layout);
  }
}

function pathReason(target: Target, layout: GuardLayout): string | undefined {
  const segments = segmentsOf(target.value);
  const hit = isProtected(segments, layout.paths);
  if (hit !== undefined) return `${target.value} is within ${hit}, which belongs to Vigo`;
  if (target.effect !== 'remove') return undefined;
  const inside = coversProtected(segments, layout.paths);
  return inside === undefined
    ? undefined
    : `${target.value} contains ${inside}, which belongs to Vigo`;
}

/** Whether a process is the agent or the server, by its name or by the program that it runs. */
export function isVigoProcess(name: string, commandLine: string): boolean {
  const words = commandLine.split(' ').slice(0, programWords);
  const programs = [name, ...words].map((word) => word.split('/').pop()!.toLowerCase());
  return (
    programs.some((program) => standardLayout.packages.includes(program)) ||
    words.some((word) => {
      return word.startsWith('/') && isProtected(segmentsOf(word), standardLayout.paths);
    })
  );
}

function serviceName(value: string): string {
  return value.replace(/^svc:\/site\/|^svc:\/system\//, '').replace(/\.service$|:default$/i, '');
}

function protectedName(name: string, known: readonly string[]): boolean {
  return known.some((entry) => wildcardMatch(name.toLowerCase(), entry.toLowerCase()));
}

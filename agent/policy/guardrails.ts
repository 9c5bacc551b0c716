import type { Target } from '../executors/contract.ts';
import { commandRefusal } from './guardrail-commands.ts';
import { coversProtected, isProtected, segmentsOf, wildcardMatch } from './guardrail-paths.ts';

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
}

export interface Refusal {
  readonly target: Target;
  /** One sentence for a person. */
  readonly reason: string;
}

export const standardLayout: GuardLayout = {
  paths: [
    '/usr/local/sbin/vigo',
    '/usr/local/bin/vigo',
    '/usr/local/lib/vigo',
    '/etc/init.d/vigo-envoy',
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
    '/srv/vigo',
  ],
  services: ['vigo-envoy', 'vigo_envoy', 'com.vigo.envoy', 'vigosrv'],
  packages: ['vigo', 'vigosrv', 'vigocli'],
};

/** The standard lists and further paths of this installation (state, configuration, homes). */
export function guardLayout(paths: readonly string[]): GuardLayout {
  return { ...standardLayout, paths: [...standardLayout.paths, ...paths] };
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

function serviceName(value: string): string {
  return value.replace(/^svc:\/site\/|^svc:\/system\//, '').replace(/\.service$|:default$/i, '');
}

function protectedName(name: string, known: readonly string[]): boolean {
  return known.some((entry) => wildcardMatch(name.toLowerCase(), entry.toLowerCase()));
}

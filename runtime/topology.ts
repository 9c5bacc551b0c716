import type { Placement } from './actor.ts';

/** What a thread is for. `edge` threads host no actors, but tell and ask. */
export type ThreadRole = 'fleet' | 'service' | 'edge';

export interface ThreadPlace {
  readonly name: string;
  readonly role: ThreadRole;
}

/** Every thread of a system and which service kind lives where. The same on every thread. */
export interface Topology {
  readonly threads: readonly ThreadPlace[];
  /** Kind -> name of its service host. */
  readonly services: Readonly<Record<string, string>>;
}

/** The main thread's name in every system. */
export const mainThread = 'main';

/**
 * Service kind -> its host. Kinds that nobody assigned are spread by a hash of their name, the same
 * on every thread; without any host they live on the thread itself.
 */
export function serviceHosts(
  topology: Topology,
  kinds: readonly { readonly name: string; readonly placement: Placement }[],
  thread: string,
): Map<string, string> {
  const hosts = topology.threads.filter(({ role }) => role === 'service');
  const hashed = kinds
    .filter(({ placement }) => placement === 'service')
    .map(({ name }) => [name, hosts[fnv1a(name) % hosts.length]?.name ?? thread] as const);
  return new Map([...hashed, ...Object.entries(topology.services)]);
}

/** FNV-1a, 32 bits (http://www.isthe.com/chongo/tech/comp/fnv). */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) {
    hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  }
  return hash;
}

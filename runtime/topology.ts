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

/** The host of a service kind that nobody assigned: the same on every thread. */
export function hashedHost(topology: Topology, kind: string): string | undefined {
  const hosts = topology.threads.filter(({ role }) => role === 'service');
  return hosts.length === 0 ? undefined : hosts[fnv1a(kind) % hosts.length]?.name;
}

/** FNV-1a, 32 bits (http://www.isthe.com/chongo/tech/comp/fnv). */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) {
    hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  }
  return hash;
}

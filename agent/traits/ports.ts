import type { Platform } from '../platform/platform.ts';
import type { PolicyValue } from '../protocol/bundle.ts';
import type { TraitCollector } from './collector.ts';
import {
  known,
  linkTarget,
  listMachineDirectory,
  readMachineFile,
  tryMachineLine,
} from './machine-file.ts';
import { type ListeningSocket, parseSocketTable } from './socket-table.ts';
import { isMap, sameValue, sortedTexts } from './values.ts';

const protocols = ['tcp', 'tcp6', 'udp', 'udp6'];
const socketLimit = 1_000;
const processLimit = 20_000;
const descriptorLimit = 200_000;
/**
 * The kernel goes through all its hash tables for a look at the sockets, which costs more than all
 * other volatile traits together. As long as their number is the same, or a line per connection
 * makes the tables longer than this, a look is spared, for so many rounds.
 */
const busyTableLength = 512 * 1024;
const sparedRounds = 9;
/** From here on the kernel picks ports for those who ask for none (ip_local_port_range). */
const firstEphemeralPort = 32_768;

/** The descriptor by which a process holds a socket. */
interface Holder {
  readonly pid: string;
  readonly link: string;
}

/** ports.listening, sorted. The holder of a socket is looked up once and then only verified. */
export function createPortsCollector(): TraitCollector {
  let holders = new Map<string, Holder | undefined>();
  let last: PolicyValue | undefined;
  let spared = 0;
  let isBusy = false;
  let count: string | undefined;
  return {
    name: 'ports',
    collect: async ({ platform }) => {
      const before = count;
      count = await socketCount(platform);
      const isQuiet = isBusy || (count !== undefined && count === before);
      spared = last !== undefined && isQuiet && spared < sparedRounds ? spared + 1 : 0;
      if (last !== undefined && spared > 0) return last;
      const tables = await Promise.all(protocols.map((name) => tableOf(platform, name)));
      if (tables.every((table) => table === undefined)) return undefined;
      const length = tables.reduce((sum, table) => sum + (table?.length ?? 0), 0);
      isBusy = length > busyTableLength;
      const sockets = protocols
        .flatMap((name, at) => parseSocketTable(name, tables[at] ?? ''))
        .slice(0, socketLimit);
      holders = await findHolders(platform, sockets, holders);
      const entries = sockets.map((socket) => describe(platform, socket, holders));
      last = { listening: (await Promise.all(entries)).sort(byPort) };
      return last;
    },
    isNews: (told, now) => !sameValue(lasting(told), lasting(now)),
  };
}

/** Sockets in use by protocol, of sockstat; undefined where the kernel does not tell. */
async function socketCount(platform: Platform): Promise<string | undefined> {
  const names = ['/proc/net/sockstat', '/proc/net/sockstat6'];
  const texts = await Promise.all(names.map((name) => readMachineFile(platform, name)));
  const counts = texts.join('\n').match(/^(TCP|UDP)6?: inuse \d+/gm);
  return counts?.join(' ');
}

function tableOf(platform: Platform, name: string): Promise<string | undefined> {
  return readMachineFile(platform, `/proc/net/${name}`);
}

async function describe(
  platform: Platform,
  { proto, address, port, inode }: ListeningSocket,
  holders: ReadonlyMap<string, Holder | undefined>,
) {
  const pid = holders.get(inode)?.pid;
  const process = pid === undefined ? undefined : tryMachineLine(platform, `/proc/${pid}/comm`);
  return known({
    proto,
    address,
    port,
    pid: pid === undefined ? undefined : Number(pid),
    process: await process,
  });
}

type Entry = Readonly<Record<string, PolicyValue>>;

function byPort(a: Entry, b: Entry): number {
  const order = Number(a.port) - Number(b.port);
  if (order !== 0) return order;
  return `${a.proto} ${a.address}` < `${b.proto} ${b.address}` ? -1 : 1;
}

/** What names the services of a machine: not the ports of the moment, nor who serves them now. */
function lasting(value: PolicyValue): readonly string[] {
  const list = isMap(value) && Array.isArray(value.listening) ? value.listening : [];
  const fixed = list.filter(isMap).filter(({ port }) => Number(port) < firstEphemeralPort);
  return sortedTexts(fixed.map(({ proto, address, port }) => `${proto} ${address} ${port}`));
}

async function findHolders(
  platform: Platform,
  sockets: readonly ListeningSocket[],
  before: ReadonlyMap<string, Holder | undefined>,
): Promise<Map<string, Holder | undefined>> {
  const holders = new Map<string, Holder | undefined>();
  const wanted = new Set<string>();
  for (const { inode } of sockets) {
    const holder = before.get(inode);
    const holds =
      holder === undefined || (await linkTarget(platform, holder.link)) === `socket:[${inode}]`;
    // One without a holder is the kernel's own, or not for our eyes.
    if (before.has(inode) && holds) holders.set(inode, holder);
    else if (inode !== '0') wanted.add(inode);
  }
  if (wanted.size > 0) await scan(platform, wanted, holders);
  for (const inode of wanted) holders.set(inode, undefined);
  return holders;
}

/** Goes through the descriptors of all processes; takes what it finds out of `wanted`. */
async function scan(
  platform: Platform,
  wanted: Set<string>,
  holders: Map<string, Holder | undefined>,
): Promise<void> {
  const names = await listMachineDirectory(platform, '/proc', processLimit);
  let descriptors = 0;
  for (const pid of names.filter((name) => /^\d+$/.test(name))) {
    for (const descriptor of await listMachineDirectory(platform, `/proc/${pid}/fd`)) {
      descriptors += 1;
      if (wanted.size === 0 || descriptors > descriptorLimit) return;
      const link = `/proc/${pid}/fd/${descriptor}`;
      const inode = /^socket:\[(\d+)\]$/.exec((await linkTarget(platform, link)) ?? '')?.[1];
      if (inode !== undefined && wanted.delete(inode)) holders.set(inode, { pid, link });
    }
  }
}

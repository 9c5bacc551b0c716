/** A socket that others can reach. */
export interface ListeningSocket {
  readonly proto: string;
  readonly address: string;
  readonly port: number;
  /** Of the socket; 0 = none. */
  readonly inode: string;
}

const hexLine = /^\s*\d+: ([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4}) \S+ ([0-9A-F]{2}) /;
const tcpListening = '0A';
/** Of UDP: not connected to anybody. */
const udpOpen = '07';
const inodeColumn = 9;

/** A table of /proc/net by proc_net(5): tcp and tcp6 by their listening ones, udp by open ones. */
export function parseSocketTable(proto: string, text: string): readonly ListeningSocket[] {
  const wanted = proto.startsWith('tcp') ? tcpListening : udpOpen;
  const sockets: ListeningSocket[] = [];
  for (const line of text.split('\n')) {
    const match = hexLine.exec(line);
    if (match === null || match[3] !== wanted) continue;
    const inode = line.trim().split(/\s+/)[inodeColumn] ?? '0';
    const port = Number.parseInt(match[2]!, 16);
    if (port > 0) sockets.push({ proto, address: addressOf(match[1]!), port, inode });
  }
  return sockets;
}

/** Words of 32 bits in the byte order of the machine, which is a little-endian one. */
function addressOf(hex: string): string {
  const bytes: number[] = [];
  for (let word = 0; word < hex.length; word += 8) {
    for (let at = word + 6; at >= word; at -= 2)
      bytes.push(Number.parseInt(hex.slice(at, at + 2), 16));
  }
  if (bytes.length === 4) return bytes.join('.');
  const groups = Array.from({ length: 8 }, (_, at) => (bytes[2 * at]! << 8) | bytes[2 * at + 1]!);
  return compressed(groups);
}

/** RFC 5952: the longest run of two or more zero groups, the first of those, becomes "::". */
function compressed(groups: readonly number[]): string {
  let best = { start: 0, length: 1 };
  for (let start = 0; start < groups.length; start += 1) {
    let end = start;
    while (end < groups.length && groups[end] === 0) end += 1;
    if (end - start > best.length) best = { start, length: end - start };
  }
  const texts = groups.map((group) => group.toString(16));
  if (best.length < 2) return texts.join(':');
  const left = texts.slice(0, best.start).join(':');
  return `${left}::${texts.slice(best.start + best.length).join(':')}`;
}

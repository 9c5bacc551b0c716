/** How the node reaches its server; what a firewall rule must leave open. */
export interface ServerAddress {
  /** Name or IP address. */
  readonly host: string;
  readonly port: number;
}

/** One rule of a firewall, as the guardrails see it. */
export interface TrafficRule {
  readonly direction: string;
  readonly action: string;
  readonly protocol: string;
  /** Inclusive. */
  readonly ports: readonly [number, number];
  /** Address or network of the other side; undefined or "any" for all. */
  readonly peer: string | undefined;
  readonly absent: boolean;
}

/** Networks of a named server's size are taken to hold it: nobody looks a name up here. */
const largePrefix = { 4: 8, 6: 16 } as const;

/** On one line: the value of a target of the kind "traffic". */
export function trafficText(rule: TrafficRule): string {
  const { direction, action, protocol, ports, peer, absent } = rule;
  return [absent ? 'remove' : 'add', action, direction, protocol, ...ports, peer ?? 'any'].join(
    ' ',
  );
}

/** Why the rule would cut the node from its server, or undefined. */
export function trafficRefusal(text: string, server: ServerAddress): string | undefined {
  const [verb, action, direction, protocol, first, last, peer = 'any'] = text.split(' ');
  const local = isLoopback(server.host);
  if (protocol === 'udp' || (direction !== 'out' && !local)) return undefined;
  if ((action === 'deny') !== (verb === 'add')) return undefined;
  if (!(Number(first) <= server.port && server.port <= Number(last))) return undefined;
  if (!mayBeServer(peer, server.host)) return undefined;
  const what = verb === 'add' ? 'denying' : 'no longer allowing';
  return `${what} ${direction} port ${server.port} cuts this node from its server ${server.host}`;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}

function mayBeServer(peer: string, host: string): boolean {
  if (peer === 'any') return true;
  const [network = '', prefixText] = peer.split('/');
  const bits = addressBits(network);
  if (bits === undefined) return true;
  const prefix = prefixText === undefined ? bits.length : Number(prefixText);
  const server = addressBits(host === 'localhost' ? '127.0.0.1' : host);
  if (server === undefined) return prefix <= (bits.length === 32 ? largePrefix[4] : largePrefix[6]);
  return bits.length === server.length && bits.slice(0, prefix) === server.slice(0, prefix);
}

/** "0" and "1" of an IP address; undefined for anything else. */
function addressBits(text: string): string | undefined {
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) return text.split('.').map(octetBits).join('');
  if (!/^[0-9a-f:.]*:[0-9a-f:.]*$/i.test(text)) return undefined;
  const mapped = /^(.*:)(\d{1,3}(?:\.\d{1,3}){3})$/.exec(text);
  const plain = mapped === null ? text : `${mapped[1]}${hexGroups(mapped[2]!)}`;
  const [head = '', tail] = plain.split('::');
  const [before, after] = [groupsOf(head), groupsOf(tail ?? '')];
  const missing = 8 - before.length - after.length;
  if (tail === undefined ? missing !== 0 : missing < 0) return undefined;
  const groups = [...before, ...Array.from({ length: missing }, () => '0'), ...after];
  return groups.map((group) => Number.parseInt(group, 16).toString(2).padStart(16, '0')).join('');
}

function groupsOf(text: string): string[] {
  return text === '' ? [] : text.split(':');
}

function octetBits(octet: string): string {
  return Number(octet).toString(2).padStart(8, '0');
}

function hexGroups(address: string): string {
  const [a = 0, b = 0, c = 0, d = 0] = address.split('.').map(Number);
  return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
}

/**
 * What people who watch cost the server: CPU time of a process that hands out live events, with 0 and
 * with 200 viewers over TLS, in one run. Usage: node perf/viewers.ts [viewers] [events per second]
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { connect, type TLSSocket } from 'node:tls';
import { fileURLToPath } from 'node:url';

const viewers = Number(process.argv[2] ?? 200);
const eventsPerSecond = Number(process.argv[3] ?? 100);
const secondsEach = 8;
const repeats = 3;

interface Ready {
  readonly port: number;
  readonly ca: string;
}

const entry = fileURLToPath(new URL('support/viewers-entry.ts', import.meta.url));
const server = fork(entry, [String(eventsPerSecond)]);
const [ready] = (await once(server, 'message')) as [Ready];

/** CPU time of the server, milliseconds per second, while so many watch. */
async function costOf(count: number): Promise<number> {
  const sockets = await Promise.all(Array.from({ length: count }, watch));
  await pause(1_000);
  const before = await cpu();
  await pause(secondsEach * 1_000);
  const after = await cpu();
  for (const socket of sockets) socket.destroy();
  await pause(500);
  return (after - before) / secondsEach;
}

async function watch(): Promise<TLSSocket> {
  const socket = connect({ host: '127.0.0.1', port: ready.port, ca: ready.ca });
  await once(socket, 'secureConnect');
  const head = ['GET /api/v1/events HTTP/1.1', 'Host: x', 'Authorization: Bearer vgot_watch'];
  socket.write(`${[...head, 'Accept: text/event-stream'].join('\r\n')}\r\n\r\n`);
  socket.resume();
  return socket;
}

async function cpu(): Promise<number> {
  server.send('cpu');
  const [ms] = (await once(server, 'message')) as [number];
  return ms;
}

const nobody: number[] = [];
const everybody: number[] = [];
for (let at = 0; at < repeats; at++) {
  nobody.push(await costOf(0));
  everybody.push(await costOf(viewers));
}
const median = (values: number[]) => values.sort((one, other) => one - other)[repeats >> 1] ?? 0;
const [idle, busy] = [median(nobody), median(everybody)];
console.log(
  `${eventsPerSecond} events/s, CPU of the server, ms per second (median of ${repeats}):`,
);
console.log(`  nobody watches      ${idle.toFixed(1)}`);
console.log(`  ${viewers} viewers         ${busy.toFixed(1)}`);
console.log(
  `  added               ${(busy - idle).toFixed(1)} = ${((busy - idle) / 10).toFixed(2)} % of a core`,
);
server.disconnect();

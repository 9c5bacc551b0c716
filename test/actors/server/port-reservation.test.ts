/**
 * What is lost when this fails: two servers listen on one port, the kernel gives each some of the
 * agents of both, and those find a server whose certificate they do not know.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import t from 'tap';
import { reservePort } from '../../../actors/server/port-reservation.ts';

const host = '127.0.0.1';

/** As a shard does. */
async function shard(port: number): Promise<Server> {
  const server = createServer((socket) => socket.end('a shard'));
  server.listen({ host, port, reusePort: true });
  await once(server, 'listening');
  t.teardown(() => server.close());
  return server;
}

async function answerOf(port: number): Promise<string> {
  const socket = connect({ host, port });
  let answer = '';
  socket.on('data', (chunk) => {
    answer += String(chunk);
  });
  socket.on('error', () => undefined);
  await once(socket, 'close');
  return answer;
}

t.test('a port that another server shares among its threads is taken', async (t) => {
  const { port } = (await shard(0)).address() as AddressInfo;
  await t.rejects(reservePort(host, port), { code: 'SERVER_PORT_TAKEN' });
  await t.rejects(reservePort('', port), { code: 'SERVER_PORT_TAKEN' });
});

t.test('a free port is kept until the shards listen', async (t) => {
  const reserved = await reservePort(host, 0);
  await t.rejects(reservePort(host, reserved.port), { code: 'SERVER_PORT_TAKEN' });
  t.equal(await answerOf(reserved.port), '', 'who comes too early is sent away');
  await shard(reserved.port);
  await shard(reserved.port);
  await reserved.release();
  for (let count = 0; count < 10; count += 1) t.equal(await answerOf(reserved.port), 'a shard');
});

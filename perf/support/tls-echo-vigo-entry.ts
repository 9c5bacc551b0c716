/** The agents' door without HTTP/2 and what is behind it, for perf/tls-floor.ts. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createTlsListener } from '../../actors/server/endpoint/tls-listener.ts';
import { nodeClock } from '../../runtime/ports/node-clock.ts';

const [certificateFile = '', keyFile = '', authorityFile = ''] = process.argv.slice(2);
/** Bytes of an answer without news, as the server frames it. */
const answer = Buffer.alloc(190, 1);

const listener = createTlsListener(
  {
    certificate: readFileSync(certificateFile, 'utf8'),
    key: readFileSync(keyFile, 'utf8'),
    authority: readFileSync(authorityFile, 'utf8'),
    ticketKeys: randomBytes(48),
  },
  { connectionLimit: 100_000, handshakesPerSecond: 100_000 },
  nodeClock(),
  {
    accepted: ({ socket }) => {
      socket.readBy({ read: () => socket.write(answer), drained: () => undefined });
    },
    closed: () => undefined,
    refused: (reason) => {
      throw new Error(reason);
    },
  },
);
process.send?.(await listener.listen('127.0.0.1', 0));

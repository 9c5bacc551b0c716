/** A server that does nothing but TLS, for perf/tls-floor.ts: what Node.js itself takes per request. */
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';

const [certificateFile = '', keyFile = '', authorityFile = '', verify = ''] = process.argv.slice(2);
/** Bytes of an answer without news, as the server frames it. */
const answer = Buffer.alloc(190, 1);

const tls = createTlsServer(
  {
    cert: readFileSync(certificateFile),
    key: readFileSync(keyFile),
    ca: readFileSync(authorityFile),
    minVersion: 'TLSv1.3',
    requestCert: true,
    rejectUnauthorized: verify !== 'no',
  },
  (socket) => {
    socket.on('error', () => socket.destroy());
    socket.on('data', () => socket.write(answer));
  },
);
const server: Server = createServer({ noDelay: true, pauseOnConnect: true }, (socket) =>
  tls.emit('connection', socket),
);
server.listen({ host: '127.0.0.1', port: 0, backlog: 4096 }, () => {
  process.send?.((server.address() as { port: number }).port);
});

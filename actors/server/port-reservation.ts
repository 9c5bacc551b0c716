import { type AddressInfo, createServer, type ListenOptions, type Server } from 'node:net';
import { ServerError } from '../errors.ts';

export interface PortReservation {
  readonly port: number;
  /** Called when the shards listen. */
  release(): Promise<void>;
}

/**
 * The port that the shards will share. One that is asked for must be nobody's: a port that is shared
 * among threads is shared with any other server of the same user, too, which would then get some of
 * this one's agents. A free one (0) is kept until the shards listen, or a server that starts at the
 * same time would be given it. Throws SERVER_PORT_TAKEN.
 */
export async function reservePort(host: string, port: number): Promise<PortReservation> {
  const address = host === '' ? {} : { host };
  if (port !== 0) {
    await closed(await listening({ ...address, port }));
    return { port, release: async () => undefined };
  }
  const held = await listening({ ...address, port, reusePort: true });
  return { port: (held.address() as AddressInfo).port, release: () => closed(held) };
}

function listening(options: ListenOptions): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', (error: NodeJS.ErrnoException) => {
      const { host = 'every address', port = 0 } = options;
      const isTaken = error.code === 'EADDRINUSE';
      reject(
        isTaken ? new ServerError('SERVER_PORT_TAKEN', { host, port }, { cause: error }) : error,
      );
    });
    server.listen(options, () => resolve(server));
  });
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}

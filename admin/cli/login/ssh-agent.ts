import { connect, type Socket } from 'node:net';
import { AdminError } from '../../errors.ts';
import { SshReader, sshString, sshUint32 } from '../../login/ssh-wire.ts';

/** draft-miller-ssh-agent, as far as signing needs it. */
const requestIdentities = 11;
const identitiesAnswer = 12;
const signRequest = 13;
const signResponse = 14;

const lengthBytes = 4;
const messageBytesMax = 256 * 1024;
const identitiesMax = 1000;
/** Somebody may have to confirm, or to touch a device. */
const answerTimeoutMs = 60_000;

/** A key that the agent holds. */
export interface AgentIdentity {
  /** Public key in SSH's form. */
  readonly blob: Uint8Array;
  readonly comment: string;
}

/** Speaks to a running ssh-agent; the private keys stay there. Everything rejects with CLI_SSH_AGENT. */
export class SshAgent {
  readonly #socketPath: string;

  constructor(socketPath: string) {
    this.#socketPath = socketPath;
  }

  async identities(): Promise<AgentIdentity[]> {
    const answer = await this.#ask(requestIdentities, Buffer.alloc(0), identitiesAnswer);
    return this.#read(answer, (reader) => {
      const count = reader.uint32();
      if (count > identitiesMax) throw new RangeError(`${count} keys`);
      return Array.from({ length: count }, () => ({
        blob: new Uint8Array(reader.string()),
        comment: reader.string().toString('utf8'),
      }));
    });
  }

  /** A signature in SSH's form: string algorithm, string signature. */
  async sign(blob: Uint8Array, data: Uint8Array): Promise<Uint8Array> {
    const request = Buffer.concat([sshString(blob), sshString(data), sshUint32(0)]);
    const answer = await this.#ask(signRequest, request, signResponse);
    return this.#read(answer, (reader) => new Uint8Array(reader.string()));
  }

  #read<T>(answer: Buffer, read: (reader: SshReader) => T): T {
    try {
      return read(new SshReader(answer));
    } catch (error) {
      throw this.#failure(`its answer is malformed: ${String(error)}`);
    }
  }

  /** One connection for one question: agents take that, and nothing has to be matched up. */
  #ask(type: number, payload: Buffer, expected: number): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const socket: Socket = connect(this.#socketPath);
      const fail = (reason: string) => {
        socket.destroy();
        reject(this.#failure(reason));
      };
      let received: Buffer = Buffer.alloc(0);
      socket.setTimeout(answerTimeoutMs, () => fail(`no answer in ${answerTimeoutMs / 1000} s`));
      socket.on('error', (error) => fail(error.message));
      socket.on('end', () => fail('it hung up'));
      socket.on('data', (chunk) => {
        received = Buffer.concat([received, chunk]);
        if (received.length < lengthBytes) return;
        const length = received.readUInt32BE();
        if (length === 0 || length > messageBytesMax) return fail('its answer is malformed');
        if (received.length < lengthBytes + length) return;
        const answer = received.subarray(lengthBytes, lengthBytes + length);
        if (answer[0] !== expected) return fail('it refused');
        socket.destroy();
        resolve(answer.subarray(1));
      });
      socket.write(Buffer.concat([sshString(Buffer.concat([Buffer.of(type), payload]))]));
    });
  }

  #failure(reason: string): AdminError {
    return new AdminError('CLI_SSH_AGENT', `${this.#socketPath}: ${reason}`);
  }
}

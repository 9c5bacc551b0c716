import { open } from 'node:fs/promises';
import { nodePorts } from '../../../runtime/ports/node-ports.ts';
import { provisionEnvoys } from '../../enrollment/provision.ts';
import { ServerError } from '../../errors.ts';
import { SinkWriter } from '../../sink/writer.ts';
import { machineEnvironment } from '../home/environment.ts';
import { makeDirectory, privateFileMode } from '../home/files.ts';
import { openHome } from '../home/home.ts';
import { homeLayout } from '../home/layout.ts';
import { lockHome } from '../home/lock.ts';

export interface ProvisionFlags {
  readonly home: string;
  readonly count: number | string;
  readonly prefix: string;
  readonly first: number | string;
  readonly out: string;
}

/** Writes `{"envoys": [{envoyId, hostname, keyPem, certificatePem}, ...]}` for its owner only. */
export async function provision(flags: ProvisionFlags, say = sayOnStandardError): Promise<void> {
  const ports = nodePorts();
  const layout = homeLayout(flags.home);
  await makeDirectory(layout.root);
  const lock = lockHome(layout, process.pid);
  let writer: SinkWriter | undefined;
  try {
    const environment = machineEnvironment(ports.clock, ports.random);
    const home = await openHome({ home: flags.home, create: true }, environment);
    const { database, enrollment } = home.config;
    writer = new SinkWriter({ file: database.file, runsPerEnvoy: database.runsPerEnvoy });
    await writer.open();
    const [count, first] = [Number(flags.count), Number(flags.first)];
    const { prefix } = flags;
    const chunks = provisionEnvoys(
      { authority: home.certificateAuthority, writer, ports },
      { count, prefix, first, certificateValidityMs: enrollment.certificateValidityMs },
    );
    await writeEnvoys(flags.out, chunks, (done) => say(`${done} of ${count} identities made`));
  } finally {
    writer?.close();
    lock.release();
  }
}

async function writeEnvoys(
  path: string,
  chunks: AsyncIterable<readonly object[]>,
  progress: (done: number) => void,
): Promise<void> {
  const file = await open(path, 'wx', privateFileMode).catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ServerError('HOME_UNWRITABLE', { path, reason }, { cause });
  });
  try {
    let done = 0;
    for await (const chunk of chunks) {
      const lines = chunk.map((envoy) => JSON.stringify(envoy)).join(',\n');
      await file.writeFile(`${done === 0 ? '{"envoys":[\n' : ',\n'}${lines}`);
      done += chunk.length;
      progress(done);
    }
    await file.writeFile('\n]}\n');
    await file.sync();
  } finally {
    await file.close();
  }
}

function sayOnStandardError(line: string): void {
  process.stderr.write(`${line}\n`);
}

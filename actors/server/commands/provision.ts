import { open } from 'node:fs/promises';
import { type Command, InvalidArgumentError } from 'commander';
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
  readonly count: number;
  readonly prefix: string;
  readonly first: number;
  readonly out: string;
}

export function addProvisionCommand(program: Command, defaultHome: string): void {
  program
    .command('provision')
    .description('make enrolled identities in advance, while the server is stopped')
    .option('--home <directory>', 'the server home', defaultHome)
    .requiredOption('--count <number>', 'how many', wholeNumber)
    .option('--prefix <text>', 'host names are this and a number', 'node-')
    .option('--first <number>', 'the first number', wholeNumber, 1)
    .requiredOption('--out <file>', 'JSON file for the keys and certificates; must not exist')
    .action(async (flags: ProvisionFlags) => {
      await provision(flags, (line) => process.stderr.write(`${line}\n`));
    });
}

/** Writes `{"envoys": [{envoyId, hostname, keyPem, certificatePem}, ...]}` for its owner only. */
export async function provision(flags: ProvisionFlags, say: (line: string) => void): Promise<void> {
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
    const { count, prefix, first } = flags;
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

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('expected a whole number');
  return Number(text);
}

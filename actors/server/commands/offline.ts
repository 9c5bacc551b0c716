import { createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { nodePorts } from '../../../runtime/ports/node-ports.ts';
import { type AuditHead, verifyChain } from '../../audit/chain.ts';
import { readExport } from '../../audit/export.ts';
import { type ProvisionedEnvoy, provisionEnvoys } from '../../enrollment/provision.ts';
import { ServerError } from '../../errors.ts';
import { readAuditRows } from '../../sink/audit-rows.ts';
import { SinkWriter } from '../../sink/writer.ts';
import { machineEnvironment } from '../home/environment.ts';
import { makeDirectory, privateFileMode } from '../home/files.ts';
import { openHome, type ServerHome } from '../home/home.ts';
import { homeLayout } from '../home/layout.ts';
import { lockHome } from '../home/lock.ts';

/** The home, locked against a server, for as long as `use` runs. */
async function withHome<T>(
  home: string,
  create: boolean,
  use: (opened: ServerHome) => Promise<T>,
): Promise<T> {
  const layout = homeLayout(home);
  if (create) await makeDirectory(layout.root);
  const { clock, random } = nodePorts();
  const environment = machineEnvironment(clock, random);
  const missing = !create && !(await isThere(layout.marker));
  if (missing) throw new ServerError('HOME_MISSING', { home: layout.root });
  const lock = lockHome(layout, process.pid);
  try {
    return await use(await openHome({ home, create }, environment));
  } finally {
    lock.release();
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await (await open(path, 'r')).close();
    return true;
  } catch {
    return false;
  }
}

/** Makes a home without serving it; prints what was made. */
export async function init({ home }: { home: string }): Promise<void> {
  await withHome(home, true, async ({ layout, made, certificateAuthority }) => {
    for (const line of made) console.log(line);
    if (made.length === 0) console.log(`${layout.root} is complete already`);
    console.log(`CA fingerprint (SHA-256): ${certificateAuthority.fingerprint}`);
  });
}

export interface ProvisionFlags {
  readonly home: string;
  readonly count: string;
  readonly prefix: string;
  readonly first: string;
  readonly out: string;
}

/**
 * Makes identities in advance and writes them, with their keys, as one JSON object
 * `{"envoys":[{envoyId, hostname, keyPem, certificatePem}]}` that only its owner may read.
 */
export async function provision(flags: ProvisionFlags): Promise<void> {
  await withHome(flags.home, false, async ({ layout, config, certificateAuthority }) => {
    const { runsPerEnvoy } = config.database;
    const writer = new SinkWriter({ file: config.database.file, runsPerEnvoy });
    const out = createWriteStream(flags.out, { mode: privateFileMode, flags: 'wx' });
    const closed = new Promise<void>((resolve, reject) => {
      out.once('finish', resolve);
      out.once('error', reject);
    });
    let written = 0;
    const write = (envoy: ProvisionedEnvoy): void => {
      out.write(`${written === 0 ? '{"envoys":[\n' : ',\n'}${JSON.stringify(envoy)}`);
      written += 1;
    };
    try {
      const chunks = provisionEnvoys(
        { authority: certificateAuthority, writer, ports: nodePorts() },
        {
          prefix: flags.prefix,
          first: Number(flags.first),
          count: Number(flags.count),
          certificateValidityMs: config.enrollment.certificateValidityMs,
        },
      );
      for await (const chunk of chunks) for (const envoy of chunk) write(envoy);
    } finally {
      writer.close();
      out.end(written === 0 ? '{"envoys":[]}\n' : '\n]}\n');
    }
    await closed;
    console.log(`${written} envoys of ${layout.root} written to ${flags.out}`);
  });
}

export interface VerifyFlags {
  readonly home: string;
  readonly database?: string;
  readonly export?: string;
  readonly head?: string;
}

/** Verifies the audit chain without a server. Throws AUDIT_*. */
export async function verifyAudit(flags: VerifyFlags): Promise<void> {
  const head = await verifiedHead(flags);
  console.log(`${head.sequence} entries, unbroken`);
  console.log(`head ${head.hash}`);
}

async function verifiedHead(flags: VerifyFlags): Promise<AuditHead> {
  if (flags.export === undefined) {
    const file = flags.database ?? homeLayout(flags.home).database;
    return await verifyChain(readAuditRows(file), flags.head);
  }
  const file = flags.export;
  const handle = await open(file, 'r').catch((cause: Error) => {
    throw new ServerError('AUDIT_UNREADABLE', { file, reason: cause.message }, { cause });
  });
  try {
    return await verifyChain(readExport(handle.readLines(), file), flags.head);
  } finally {
    await handle.close();
  }
}

import type { AnyKind } from '../../runtime/host.ts';
import type { Ports } from '../../runtime/ports/ports.ts';
import type { ThreadSystem } from '../../runtime/system.ts';
import { mainThread } from '../../runtime/topology.ts';
import { backupKind } from '../backup/actor.ts';
import { ServerError } from '../errors.ts';
import type { SinkWriter } from '../sink/writer.ts';
import { createBackup } from './backup/create.ts';
import type { Packed, PackOrder, PackRefusal } from './backup/pack.ts';
import { BackupShelf } from './backup/shelf.ts';
import type { ServerThreadData } from './thread-data.ts';

/** Packing a large database. */
const packDeadlineMs = 3_600_000;
const packModule = new URL(
  `./backup/pack.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`,
  import.meta.url,
);

/** Makes backups; what takes long runs as a job beside this thread. */
export function backupServices(
  data: ServerThreadData,
  writer: Pick<SinkWriter, 'copyTo'>,
  ports: Ports,
  systemOf: () => ThreadSystem | undefined,
): AnyKind {
  const { layout, config, version, bundleSigningKey: signingKey } = data;
  const shelf = new BackupShelf(layout);
  const pack = async (payload: PackOrder): Promise<Packed> => {
    const job = { module: packModule.href, name: 'pack', payload };
    const answer = await systemOf()?.request(mainThread, 'job', job, packDeadlineMs);
    const { refused, ...packed } = answer as Packed & { readonly refused?: PackRefusal };
    if (refused !== undefined) throw new ServerError(refused.code, { reason: refused.reason });
    return packed;
  };
  const parts = {
    layout,
    config,
    version,
    signingKey,
    nowMs: () => ports.clock.nowMs(),
    randomBytes: (length: number) => ports.random.bytes(length),
    copyDatabase: writer.copyTo.bind(writer),
    pack,
  };
  return backupKind({
    create: (order, tell) => createBackup(parts, order, tell),
    list: () => shelf.list(),
    find: async (name) => (await shelf.find(name)).view,
    check: (name) => shelf.check(name),
  });
}

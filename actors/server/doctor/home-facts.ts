import { X509Certificate } from 'node:crypto';
import { constants, existsSync, type Stats } from 'node:fs';
import { access, readdir, readFile, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { HomeFacts } from '../../doctor/home-rules.ts';
import { collectHome } from '../backup/collect.ts';
import { BackupShelf } from '../backup/shelf.ts';
import type { ServerConfig } from '../config/config.ts';
import { loadConfig } from '../config/load.ts';
import { type HomeLayout, homeLayout } from '../home/layout.ts';

/** Files that are looked at one by one. */
const filesMax = 20_000;
const otherWrite = 0o002;
const groupAndOthers = 0o077;

/** Reads what a server's home looks like; needs no running server and changes nothing. */
export async function readHomeFacts(home: string): Promise<HomeFacts> {
  const layout = homeLayout(home);
  const loaded = await readConfig(layout);
  const config = 'error' in loaded ? undefined : loaded.config;
  const databaseFile = config?.database.file ?? layout.database;
  const { exposed, foreign } = await readModes(layout, config);
  const space = await statfs(layout.root).catch(() => undefined);
  const [newest] = await new BackupShelf(layout).list();
  return {
    home: layout.root,
    config: 'error' in loaded ? loaded.error : undefined,
    exposed,
    foreign,
    certificates: [
      { name: 'server', endsMs: await certificateEnd(layout.serverCertificate) },
      { name: 'authority', endsMs: await certificateEnd(layout.caCertificate) },
    ],
    disk: space && {
      freeBytes: space.bavail * space.bsize,
      totalBytes: space.blocks * space.bsize,
    },
    inodes: space && { free: space.ffree, total: space.files },
    stack: await readStack(layout),
    backup: newest && { name: newest.name, createdAtMs: newest.createdAtMs },
    isUsed: existsSync(databaseFile),
    interruptedRestore: existsSync(layout.restoreDirectory),
  };
}

type Loaded =
  | { readonly config: ServerConfig }
  | { readonly error: NonNullable<HomeFacts['config']> };

async function readConfig(layout: HomeLayout): Promise<Loaded> {
  try {
    return { config: await loadConfig({ file: layout.configFile, home: layout.root }) };
  } catch (error) {
    const { message, remedy = '' } = error as { message: string; remedy?: string };
    return { error: { message, remedy } };
  }
}

/** Of everything that is nobody else's business: keys, secrets, settings, database. */
async function readModes(
  layout: HomeLayout,
  config: ServerConfig | undefined,
): Promise<{ exposed: { path: string; mode: string }[]; foreign: string[] }> {
  const database = config?.database.file ?? layout.database;
  const paths = [
    layout.configFile,
    layout.caKey,
    layout.serverKey,
    database,
    ...(await below(layout.keysDirectory)),
    ...(config === undefined ? [] : [config.secrets.keyFile]),
    ...(config === undefined ? [] : await below(config.secrets.secretsDirectory)),
    ...(await below(layout.backupsDirectory)),
  ];
  const exposed: { path: string; mode: string }[] = [];
  const foreign: string[] = [];
  const own = (await optional(layout.root))?.uid;
  for (const path of [...new Set(paths)].slice(0, filesMax)) {
    const stats = await optional(path);
    if (stats === undefined || !stats.isFile()) continue;
    const mode = stats.mode & 0o777;
    if ((mode & groupAndOthers) !== 0) exposed.push({ path, mode: mode.toString(8) });
    if (stats.uid !== own) foreign.push(path);
  }
  return { exposed, foreign };
}

async function readStack(layout: HomeLayout): Promise<HomeFacts['stack']> {
  const directory = layout.stacksDirectory;
  const root = await optional(directory);
  const none = { directory, policyFiles: 0, unreadable: [], writableByOthers: [] };
  if (root === undefined || !root.isDirectory()) return { ...none, exists: false };
  const unreadable: string[] = [];
  const writableByOthers = (root.mode & otherWrite) !== 0 ? [directory] : [];
  const options = { layout, database: layout.database, secretsDirectory: '/', agents: false };
  const files = await collectHome(options).catch(() => []);
  const own = files.filter(({ path }) => path.startsWith('stacks/')).slice(0, filesMax);
  for (const { path } of own) {
    const absolute = join(layout.root, path);
    const mode = (await optional(absolute))?.mode ?? 0;
    if ((mode & otherWrite) !== 0) writableByOthers.push(absolute);
    const canRead = await access(absolute, constants.R_OK).then(
      () => true,
      () => false,
    );
    if (!canRead) unreadable.push(absolute);
  }
  const policyFiles = own.filter(({ path }) => path.endsWith('.vgo')).length;
  return { directory, exists: true, policyFiles, unreadable, writableByOthers };
}

async function certificateEnd(file: string): Promise<number | undefined> {
  try {
    return Date.parse(new X509Certificate(await readFile(file)).validTo);
  } catch {
    return undefined;
  }
}

async function below(directory: string): Promise<string[]> {
  const names = await readdir(directory).catch((): string[] => []);
  return names.map((name) => join(directory, name));
}

async function optional(path: string): Promise<Stats | undefined> {
  return await stat(path).catch(() => undefined);
}

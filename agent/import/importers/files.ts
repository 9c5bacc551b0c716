import { AgentError } from '../../errors.ts';
import { detectAccountManager } from '../../platform/accounts/account-manager.ts';
import type { FileStatus } from '../../platform/platform.ts';
import {
  type ImportContext,
  type ImportedResource,
  type Importer,
  importLimit,
} from '../contract.ts';

/** Larger text is no policy; such a file belongs into a package. */
const contentBytesLimit = 256 * 1024;
const depthLimit = 16;

/** A file, link or directory by its path; with a final "/" a directory and all that it holds. */
export const fileImporter: Importer = {
  kind: 'file',
  scope: 'nothing: files are named by their paths, a directory with all that it holds as /path/',
  names: async () => [],
  async expand(name, context) {
    if (name === '/' || !name.endsWith('/')) return [name];
    const paths: string[] = [];
    await walk(name.replace(/\/+$/, ''), context, paths, depthLimit);
    return paths;
  },
  async read(name, context) {
    if (!name.startsWith('/')) refuse(name, 'it is no absolute path');
    return [await readPath(name, context)];
  },
};

async function walk(
  path: string,
  context: ImportContext,
  found: string[],
  depth: number,
): Promise<void> {
  if (depth === 0) refuse(path, `it lies deeper than ${depthLimit} directories`);
  const { files, paths } = context.platform;
  const real = await paths.resolve(path);
  found.push(path);
  if (found.length > importLimit) refuse(path, `there are more than ${importLimit} files`);
  if ((await files.status(real))?.kind !== 'directory') return;
  for (const entry of (await files.list(real)).sort())
    await walk(`${path}/${entry}`, context, found, depth - 1);
}

/** One path as the resource that would make it. */
export async function readPath(path: string, context: ImportContext): Promise<ImportedResource> {
  const { files, paths } = context.platform;
  const real = await paths.resolve(path);
  const status = await files.status(real);
  if (status === undefined) refuse(path, 'there is no such file');
  const owners = await ownerNames(status, context);
  const mode = status.mode.toString(8).padStart(4, '0');
  const common = { target_path: path };
  switch (status.kind) {
    case 'directory':
      return { type: 'directory', subject: path, parameters: { ...common, ...owners, mode } };
    case 'symlink': {
      const to = await files.readLink(real);
      return { type: 'symlink', subject: path, parameters: { ...common, to, ...owners } };
    }
    case 'file': {
      const content = await readText(path, real, status, context);
      return { type: 'file', subject: path, parameters: { ...common, ...owners, mode, content } };
    }
    case 'other':
      return refuse(path, 'it is neither file, directory nor link');
  }
}

async function readText(
  path: string,
  real: string,
  status: FileStatus,
  { platform }: ImportContext,
): Promise<string> {
  if (status.size > contentBytesLimit)
    refuse(path, `it is larger than ${contentBytesLimit / 1024} KiB`);
  const bytes = await platform.files.read(real, contentBytesLimit);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return refuse(path, 'it is no UTF-8 text');
  }
  return text.includes('\0') ? refuse(path, 'it is no text') : text;
}

async function ownerNames(
  status: FileStatus,
  { platform }: ImportContext,
): Promise<{ owner: string; group: string }> {
  const accounts = await detectAccountManager(platform);
  const users = [...((await accounts?.users()) ?? new Map()).values()];
  const groups = [...((await accounts?.groups()) ?? new Map()).values()];
  return {
    owner: users.find(({ uid }) => uid === status.uid)?.name ?? String(status.uid),
    group: groups.find(({ gid }) => gid === status.gid)?.name ?? String(status.gid),
  };
}

function refuse(path: string, why: string): never {
  throw new AgentError('AGENT_IMPORT_REFUSED', { what: `file ${path}`, why });
}

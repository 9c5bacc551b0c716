import {
  chmodSync,
  createReadStream,
  createWriteStream,
  mkdtempSync,
  readdirSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { buildAgent } from '../../test/tools/agent-artefact.ts';

/** The agent as it is shipped for this machine, at this path. */
export async function agentProgram(path: string): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'vigo-agent-'));
  try {
    const platform = process.arch === 'arm64' ? 'linux-arm64' : 'linux-x64';
    await buildAgent({ directory, platform, gzipLevel: 1 });
    const name = readdirSync(directory).find((file) => file.endsWith('.gz'));
    if (name === undefined) throw new Error('the agent was not built');
    const packed = createReadStream(join(directory, name));
    await pipeline(packed, createGunzip(), createWriteStream(path));
    chmodSync(path, 0o755);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

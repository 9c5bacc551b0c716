import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { agentVersion } from '../../agent/version.ts';
import { type AgentPlatform, buildAgent, bundleAgent } from '../tools/agent-artefact.ts';

const prefix = 'vigo-agent-artefact-';
const keptMs = 24 * 3600 * 1000;

/**
 * A directory with the agent's program for this machine, as a server serves it; built once for each
 * content of the tree and shared by all tests of a machine. Not to be written to.
 */
export async function agentArtefact(version = agentVersion): Promise<string> {
  const platform = `${process.platform}-${process.arch}` as AgentPlatform;
  const parts = [await bundleAgent(version), process.version, platform, version];
  const key = createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 16);
  const directory = join(tmpdir(), `${prefix}${key}`);
  removeOld();
  if (!existsSync(directory)) {
    const work = mkdtempSync(join(tmpdir(), `${prefix}new-`));
    await buildAgent({ directory: work, platform, version, gzipLevel: 1 });
    // Another test may have been faster.
    if (existsSync(directory)) rmSync(work, { recursive: true, force: true });
    else renameSync(work, directory);
  }
  utimesSync(directory, new Date(), new Date());
  return directory;
}

/** Those of trees that are not tested any more. */
function removeOld(): void {
  for (const name of readdirSync(tmpdir())) {
    const path = join(tmpdir(), name);
    if (!name.startsWith(prefix) || Date.now() - statSync(path).mtimeMs < keptMs) continue;
    rmSync(path, { recursive: true, force: true });
  }
}

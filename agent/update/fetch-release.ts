import { AgentError } from '../errors.ts';
import type { AgentClock } from '../platform/platform.ts';
import { equalBytes, toHex } from '../protocol/bytes.ts';
import type { ReleaseManifest } from '../protocol/gen/vigo/v1/release.ts';
import { releasePartLimit } from '../protocol/limits.ts';
import type { TraceContext } from '../protocol/traceparent.ts';
import type { ServerClient } from '../server-client.ts';
import { type ProgramFiles, programName } from './program-files.ts';

const selfCheckLimitMs = 60_000;
const programMode = 0o755;
/** What a failed self-check's output may add to a message. */
const shownOutputLimit = 300;

export const downloadPrefix = '.download-';
export const unpackedPrefix = '.new-';

interface FetchParts {
  readonly files: ProgramFiles;
  readonly client: Pick<ServerClient, 'call'>;
  readonly clock: Pick<AgentClock, 'monotonicMs'>;
}

/** Where the artefact lies while it is not whole: named by its hash, so a broken fetch goes on. */
function downloadName(manifest: ReleaseManifest): string {
  return `${downloadPrefix}${toHex(manifest.downloadSha256).slice(0, 32)}`;
}

/**
 * Fetches parts until all are there or the time is over, and goes on where it stopped, also after a
 * restart. True when the artefact is whole. Throws what ServerClient.call does, AGENT_UPDATE_DISK and
 * AGENT_UPDATE_HASH.
 */
export async function fetchRelease(
  { files, client, clock }: FetchParts,
  manifest: ReleaseManifest,
  trace: TraceContext,
  budgetMs: number,
): Promise<boolean> {
  const name = downloadName(manifest);
  const { downloadSize, downloadSha256 } = manifest;
  const untilMs = clock.monotonicMs() + budgetMs;
  let offset = Math.min(await files.size(name), downloadSize);
  while (offset < downloadSize) {
    const length = Math.min(releasePartLimit, downloadSize - offset);
    const body = { downloadSha256, offset, length };
    const { data } = await client.call('FetchRelease', body, trace);
    if (data.length === 0 || data.length > length)
      throw new AgentError('AGENT_UPDATE_HASH', `a part of ${data.length} bytes`);
    await files.append(name, offset, data);
    offset += data.length;
    if (clock.monotonicMs() >= untilMs) break;
  }
  return offset >= downloadSize;
}

/**
 * Makes the version's own directory from the fetched artefact, whatever an earlier attempt left there.
 * Throws AGENT_UPDATE_HASH for anything but what was signed, AGENT_UPDATE_DISK and _SELF_CHECK.
 */
export async function installRelease(
  files: ProgramFiles,
  manifest: ReleaseManifest,
): Promise<void> {
  const { version } = manifest;
  const download = downloadName(manifest);
  const unpacked = `${unpackedPrefix}${version}`;
  await files.remove(unpacked);
  if (!equalBytes(await files.hash(download), manifest.downloadSha256)) {
    // Or the fetch would never begin anew.
    await files.remove(download);
    throw new AgentError('AGENT_UPDATE_HASH', `version ${version} as fetched`);
  }
  const program = `${unpacked}/${programName}`;
  await files.unpack(download, program, manifest.size, programMode);
  const whole = (await files.size(program)) === manifest.size;
  if (!whole || !equalBytes(await files.hash(program), manifest.sha256)) {
    await files.remove(unpacked);
    throw new AgentError('AGENT_UPDATE_HASH', `version ${version} as unpacked`);
  }
  await files.remove(version);
  await files.rename(unpacked, version);
  await files.remove(download);
}

/** Whether an earlier attempt has installed exactly this. */
export async function isInstalled(
  files: ProgramFiles,
  { version, size, sha256 }: ReleaseManifest,
): Promise<boolean> {
  const program = `${version}/${programName}`;
  return (await files.size(program)) === size && equalBytes(await files.hash(program), sha256);
}

/** The new version's own word that it works here. Throws AGENT_UPDATE_SELF_CHECK. */
export async function selfCheck(
  files: ProgramFiles,
  version: string,
  argv: readonly string[],
): Promise<void> {
  const program = `${version}/${programName}`;
  const { exitCode, output } = await files.run(program, argv, selfCheckLimitMs);
  if (exitCode === 0 && versionOf(output) === version) return;
  const said = output.trim().slice(0, shownOutputLimit);
  throw new AgentError('AGENT_UPDATE_SELF_CHECK', `exit code ${exitCode}, ${said}`);
}

function versionOf(output: string): unknown {
  try {
    return (JSON.parse(output) as { version?: unknown }).version;
  } catch {
    return undefined;
  }
}

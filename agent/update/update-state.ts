import { decodeChecked, encodeChecked } from '../offline/checked-file.ts';
import type { StateFiles } from '../offline/state-files.ts';
import { canonicalJsonBytes } from '../protocol/canonical-json.ts';

export const updateFileName = 'update';
const updateFormat = 1;

/** As UpdatePhase on the wire; `undecided`: the old version is back and has to find out why. */
export type UpdateStatePhase =
  | 'fetching'
  | 'trial'
  | 'undecided'
  | 'accepted'
  | 'failed'
  | 'returned'
  | 'postponed';

/** One update as the node remembers it: also which release must not be tried again. */
export interface UpdateState {
  readonly version: string;
  /** Hex of the release's digest; '' when the order did not even name a release for this node. */
  readonly digest: string;
  readonly phase: UpdateStatePhase;
  readonly code: string;
  readonly message: string;
  readonly atMs: number;
  /** The server has heard of this phase. */
  readonly told: boolean;
  /** How often the version was started on trial. */
  readonly trials: number;
  /** Check-ins that a trial needs. */
  readonly checkIns: number;
  readonly seconds: number;
  /** The version before; kept on disk. */
  readonly from: string;
  /** While undecided: the old version could not reach the server either. */
  readonly awayToo: boolean;
  /** What the release pins when it is accepted, hex. */
  readonly nextKeys: readonly string[];
}

export interface UpdateMemory {
  readonly update?: UpdateState;
  /** Release keys from an accepted release, hex; they replace those of the registration. */
  readonly releaseKeys?: readonly string[];
}

/** An unreadable file is an empty memory: the server remembers too. */
export async function loadUpdateMemory(files: StateFiles): Promise<UpdateMemory> {
  const stored = await files.read(updateFileName);
  const content = stored === undefined ? undefined : decodeChecked(stored);
  if (content === undefined) return {};
  const parsed = JSON.parse(new TextDecoder().decode(content)) as UpdateMemory & { format: number };
  return parsed.format === updateFormat ? parsed : {};
}

/** Rejects with AGENT_STATE_WRITE. */
export async function saveUpdateMemory(files: StateFiles, memory: UpdateMemory): Promise<void> {
  const content = canonicalJsonBytes({ ...memory, format: updateFormat });
  await files.replace(updateFileName, encodeChecked(content));
}

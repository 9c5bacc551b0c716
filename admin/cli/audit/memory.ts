import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { AdminError } from '../../errors.ts';
import { replaceFile } from '../replace-file.ts';

/** What was seen of one server's audit log. */
export interface RememberedLog {
  /** The log's key, "<name>+<key id>+<base64>". */
  readonly key: string;
  /** The newest checkpoint that was verified: a signed note. */
  readonly note: string;
  /** Base64: the first 8 bytes of each leaf's hash, to name the entry that was changed. */
  readonly leaves: string;
}

/** Bytes that are remembered of a leaf's hash. */
export const leafPrefixLength = 8;
/** Leaves that are remembered; of a larger log a changed entry is not named. */
export const rememberedLeafLimit = 1_000_000;
const fileLimit = 1_000;
const nameHexDigits = 24;

/**
 * Keeps what was seen of audit logs, as a browser of a transparency log does: a server that changes
 * its log later is found out. One file per server, named after the CA that it is trusted by.
 */
export class AuditMemory {
  readonly #directory: string | undefined;

  /** `directory`: "off" = nothing is remembered. */
  constructor(directory: string) {
    this.#directory = directory === 'off' ? undefined : directory;
  }

  /** --memory over VIGO_AUDIT_MEMORY over the user's state directory. */
  static open(
    option: string | undefined,
    environment: Readonly<Record<string, string | undefined>>,
  ): AuditMemory {
    const state = environment.XDG_STATE_HOME ?? join(homedir(), '.local', 'state');
    return new AuditMemory(option ?? environment.VIGO_AUDIT_MEMORY ?? join(state, 'vigo', 'audit'));
  }

  recall(caPem: string): RememberedLog | undefined {
    return this.#read(fileName(caPem));
  }

  /** Of an export, which does not say from which server it came. */
  recallOrigin(origin: string): RememberedLog | undefined {
    if (this.#directory === undefined) return undefined;
    let names: string[];
    try {
      names = readdirSync(this.#directory).slice(0, fileLimit);
    } catch {
      return undefined;
    }
    const known = names.flatMap((name) => this.#read(name) ?? []);
    return known.find(({ note }) => note.startsWith(`${origin}\n`));
  }

  remember(caPem: string, log: RememberedLog): void {
    if (this.#directory === undefined) return;
    replaceFile(join(this.#directory, fileName(caPem)), `${JSON.stringify(log)}\n`);
  }

  /** True when there was something to forget. */
  forget(caPem: string): boolean {
    if (this.#directory === undefined) return false;
    const path = join(this.#directory, fileName(caPem));
    const isKnown = existsSync(path);
    rmSync(path, { force: true });
    return isKnown;
  }

  #read(name: string): RememberedLog | undefined {
    if (this.#directory === undefined) return undefined;
    const path = join(this.#directory, name);
    let text: string;
    try {
      text = readFileSync(path, 'utf8');
    } catch {
      return undefined;
    }
    try {
      const { key, note, leaves } = JSON.parse(text) as Partial<RememberedLog>;
      if (typeof key === 'string' && typeof note === 'string' && typeof leaves === 'string')
        return { key, note, leaves };
    } catch {}
    // Silence would hide what it is there to show.
    throw new AdminError('CLI_AUDIT_BROKEN', `${path} is damaged; remove it to begin anew`);
  }
}

function fileName(caPem: string): string {
  const digest = createHash('sha256').update(caPem.trim()).digest('hex');
  return `${digest.slice(0, nameHexDigits)}.json`;
}

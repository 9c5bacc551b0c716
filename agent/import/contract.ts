import type { Platform } from '../platform/platform.ts';
import type { PolicyValue } from '../protocol/bundle.ts';

/** Something of this machine, written as policy that already holds. */
export interface ImportedResource {
  readonly type: string;
  /** What the resource's name is made of, "nginx" or "/etc/motd". */
  readonly subject: string;
  /** As they stand in policy: text that looks like a template or a secret is not escaped yet. */
  readonly parameters: Readonly<Record<string, PolicyValue>>;
  /** What the reader of the policy should know, one line. */
  readonly note?: string;
}

/** One kind of thing that `vigo import` can write down. */
export interface Importer {
  readonly kind: string;
  /** What is taken when only the kind is named, for the help. */
  readonly scope: string;
  /** Names of what somebody declared on this machine by hand, as far as it can be told; sorted. */
  names(context: ImportContext): Promise<readonly string[]>;
  /** What one given name stands for, where it may stand for several; itself when absent. */
  expand?(name: string, context: ImportContext): Promise<readonly string[]>;
  /**
   * One or more resources that stand for `name`.
   *
   * @throws {AgentError} AGENT_IMPORT_REFUSED with the reason
   */
  read(name: string, context: ImportContext): Promise<readonly ImportedResource[]>;
}

export interface ImportContext {
  readonly platform: Platform;
  readonly signal: AbortSignal;
}

/** Resources of one import: a module that nobody reads is no use. */
export const importLimit = 2_000;

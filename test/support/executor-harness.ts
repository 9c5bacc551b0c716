import { createHash } from 'node:crypto';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { createEngine } from '../../agent/converge/engine.ts';
import type { ResourceOutcome } from '../../agent/converge/result.ts';
import type { Action, AnyResourceType } from '../../agent/executors/contract.ts';
import { typeRegistry } from '../../agent/executors/registry.ts';
import { createNodePlatform } from '../../agent/platform/node-platform.ts';
import { type Platform, temporaryNamePattern } from '../../agent/platform/platform.ts';
import type { PolicyValue } from '../../agent/protocol/bundle.ts';
import { type FaultMode, type FaultyPlatform, faultyPlatform } from './faulty-platform.ts';
import { readOnlyPlatform } from './read-only-platform.ts';
import { resourceBundle } from './resource-bundle.ts';
import { type CoverageKind, caseOf, recordCoverage } from './type-coverage.ts';

/** One row of a type's table: a state of the node, what is declared, and what must become of it. */
export interface ExecutorCase {
  readonly name: string;
  readonly parameters: Readonly<Record<string, PolicyValue>>;
  /** Makes the state that the pass finds; `root` is the real path of the root. */
  readonly arrange?: (root: string) => void;
  readonly action: Action;
  /** What a dry run says, where it cannot know what stands in the way. Default: the same. */
  readonly predicted?: Action;
  readonly errorCode?: string;
  readonly reason?: RegExp;
  /** Looks at what the pass made of it. Runs after an interrupted and repeated pass too. */
  readonly check?: (root: string, t: Test) => void;
  /** What a second pass does; default none (for what acted), else the same as the first. */
  readonly second?: Action;
  /** Templates of the bundle, for `source`. */
  readonly templates?: Readonly<Record<string, string>>;
}

export interface HarnessOptions {
  /** Default: the real operating system, confined to the root. */
  readonly platform?: (root: string) => Platform;
  /**
   * Which of the rows that act are interrupted at each of their calls: every one, or for rows whose
   * steps are alike, the first of each action, or the very first. None: other rows of the same steps
   * are.
   */
  readonly interrupted?: 'every' | 'first-of-each-action' | 'first' | 'none';
  /** What breaks at the nth call; default: calls to files and processes. */
  readonly breaking?: Breaking;
  /** For the table of what is tested: the back-end, where the type has several. */
  readonly backend?: string;
  /** Default: real on the real operating system, else simulated. */
  readonly kind?: CoverageKind;
}

type Breaking = (platform: Platform, nth: number, mode: FaultMode) => FaultyPlatform;

/** Rows for bad parameters, each laid over the good ones: refused before anything is looked at. */
export function refusedCases(
  good: ExecutorCase['parameters'],
  bad: readonly ExecutorCase['parameters'][],
): ExecutorCase[] {
  return bad.map((parameters) => ({
    name: `refused: ${JSON.stringify(parameters).slice(0, 60)}`,
    parameters: { ...good, ...parameters },
    action: 'failed',
    errorCode: 'POLICY_PARAMETER_INVALID',
  }));
}

/** Calls of one pass that are made to fail, one after the other. */
const faultLimit = 200;
/** To be broken after these is to be broken before the next one. */
const readingCalls: readonly string[] = ['status', 'read', 'readLink', 'list'];
const acting: readonly Action[] = ['created', 'updated', 'deleted'];

/**
 * Proves a resource type by its table. Per row: a dry run tells the same and leaves a byte-identical
 * tree; the pass does what is expected; the second does nothing; and whichever call of the pass
 * fails, the next pass ends right and leaves no temporary file.
 */
export async function proveExecutor(
  t: Test,
  type: AnyResourceType,
  cases: readonly ExecutorCase[],
  options: HarnessOptions = {},
): Promise<void> {
  const proven = new Set<Action>();
  for (const row of cases) {
    const { interrupted = 'every' } = options;
    const interrupt =
      interrupted === 'every' ||
      (interrupted === 'first-of-each-action' && !proven.has(row.action)) ||
      (interrupted === 'first' && proven.size === 0);
    if (acting.includes(row.action)) proven.add(row.action);
    await t.test(row.name, async (t) => {
      const run = new CaseRun(
        type,
        row,
        options.platform ?? ((root) => createNodePlatform({ root })),
      );
      const { backend = '', platform } = options;
      const kind = options.kind ?? (platform === undefined ? 'real' : 'simulated');
      const cell = { type: type.name, backend, kind };
      await run.prove(t);
      const { action, errorCode = '' } = row;
      const removes = row.parameters.state === 'absent' && acting.includes(action);
      recordCoverage({ ...cell, case: removes ? 'removal' : caseOf({ action, errorCode }) });
      if (acting.includes(action) && row.second === undefined)
        recordCoverage({ ...cell, case: 'no-op' });
      recordCoverage({ ...cell, case: 'read-only dry run' });
      if (!interrupt || !acting.includes(row.action)) return;
      await run.proveInterruptions(t, options.breaking ?? faultyPlatform);
      recordCoverage({ ...cell, case: 'interruption' });
    });
  }
}

class CaseRun {
  readonly #type: AnyResourceType;
  readonly #row: ExecutorCase;
  readonly #makePlatform: (root: string) => Platform;

  constructor(type: AnyResourceType, row: ExecutorCase, makePlatform: (root: string) => Platform) {
    this.#type = type;
    this.#row = row;
    this.#makePlatform = makePlatform;
  }

  async prove(t: Test): Promise<void> {
    await this.#inRoot(async (root) => {
      const platform = this.#makePlatform(root);
      const before = treeDigest(root);
      // What a dry run would write, even outside the tree, is refused.
      const predicted = await this.#pass(readOnlyPlatform(platform), true);
      t.same(treeDigest(root), before, 'a dry run leaves the tree as it was');
      if (this.#row.predicted === undefined) this.#expect(t, predicted, 'predicted');
      else t.equal(predicted.action, this.#row.predicted, 'predicted');
      this.#expect(t, await this.#pass(platform, false), 'done');
      this.#row.check?.(root, t);
      const first = this.#row.action;
      const second = this.#row.second ?? (acting.includes(first) ? 'none' : first);
      const settled = treeDigest(root);
      t.equal((await this.#pass(platform, false)).action, second, 'the second pass');
      if (second === 'none') t.same(treeDigest(root), settled, 'and leaves the tree as it was');
      t.same(temporaries(root), [], 'no temporary file is left');
    });
  }

  /**
   * Each call of the pass, broken before it acts, and where that makes a difference after it acted
   * and with a half-written file.
   */
  async proveInterruptions(t: Test, breaking: Breaking): Promise<void> {
    for (let nth = 1; nth <= faultLimit; nth += 1) {
      const call = await this.#interrupted(t, 'before', nth, breaking);
      if (call === undefined) return;
      if (!readingCalls.includes(call)) await this.#interrupted(t, 'after', nth, breaking);
      if (call === 'writeAtomic') await this.#interrupted(t, 'leftover', nth, breaking);
    }
    t.fail(`a pass makes more than ${faultLimit} calls`);
  }

  /** The name of the broken call; undefined when a pass makes fewer. */
  async #interrupted(
    t: Test,
    mode: FaultMode,
    nth: number,
    breaking: Breaking,
  ): Promise<string | undefined> {
    let call: string | undefined;
    await this.#inRoot(async (root) => {
      const platform = this.#makePlatform(root);
      const faulty = breaking(platform, nth, mode);
      await this.#pass(faulty.platform, false);
      if (!faulty.reached()) return;
      call = faulty.reachedCall();
      const at = `interrupted ${mode} call ${nth} (${call})`;
      const next = await this.#pass(platform, false);
      t.not(next.action, 'failed', `${at}: ${next.errorCode} ${next.reason}`);
      this.#row.check?.(root, t);
      const last = await this.#pass(platform, false);
      t.ok(['none', this.#row.second].includes(last.action), `${at}: settled, ${last.reason}`);
      t.same(temporaries(root), [], `${at}: no temporary file is left`);
    });
    return call;
  }

  /** A new engine each time, as after a restart of the agent. */
  async #pass(platform: Platform, dryRun: boolean): Promise<ResourceOutcome> {
    const engine = createEngine({ platform, registry: typeRegistry([this.#type]) });
    const document = resourceBundle(
      { type: this.#type.name, parameters: this.#row.parameters },
      this.#row.templates,
    );
    const result = await engine.pass({ document, traits: {}, dryRun });
    return result.resources[0]!;
  }

  #expect(t: Test, outcome: ResourceOutcome, when: string): void {
    const { action, errorCode, reason } = this.#row;
    t.equal(outcome.action, action, `${when}: ${outcome.errorCode} ${outcome.reason}`);
    if (errorCode !== undefined)
      t.equal(outcome.errorCode, errorCode, `${when}: ${outcome.reason}`);
    if (reason !== undefined) t.match(outcome.reason, reason, when);
  }

  async #inRoot(work: (root: string) => Promise<void>): Promise<void> {
    const place = mkdtempSync(join(tmpdir(), 'vigo-executor-'));
    const root = join(place, 'root');
    try {
      mkdirSync(root);
      this.#row.arrange?.(root);
      await work(root);
    } finally {
      rmSync(place, { recursive: true, force: true });
    }
  }
}

/** Everything about a tree that a user could notice: one line per entry, with content and times. */
export function treeDigest(root: string): string[] {
  return walk(root).map((path) => {
    const status = lstatSync(path);
    const content = status.isFile()
      ? createHash('sha256').update(readFileSync(path)).digest('hex')
      : status.isSymbolicLink()
        ? readlinkSync(path)
        : '';
    const { mode, uid, gid, ino, mtimeMs, ctimeMs } = status;
    return [path.slice(root.length), mode, uid, gid, ino, mtimeMs, ctimeMs, content].join(' ');
  });
}

function temporaries(root: string): string[] {
  return walk(root).filter((path) =>
    temporaryNamePattern.test(path.slice(path.lastIndexOf('/') + 1)),
  );
}

function walk(path: string): string[] {
  if (!lstatSync(path).isDirectory()) return [path];
  return [
    path,
    ...readdirSync(path)
      .sort()
      .flatMap((name) => walk(join(path, name))),
  ];
}

import type { Action } from '../executors/contract.ts';
import {
  type Checked,
  check,
  checkResolvedTargets,
  isChange,
  limitOf,
  observe,
  resourceContext,
  type StepContext,
  secretDiff,
  templateData,
} from './check.ts';
import type { CompiledDocument, CompiledResource, Rendered } from './compile.ts';
import { boundedDiff } from './diff.ts';
import type { PassOptions } from './engine.ts';
import { type Failure, oneLine, toFailure } from './failure.ts';
import { dirname } from './path-text.ts';
import {
  changed,
  type Ending,
  type PassResult,
  passState,
  type ResourceOutcome,
  summarize,
} from './result.ts';
import { writtenPaths } from './secret-resources.ts';
import { Prediction } from './shadow/prediction.ts';
import type { Shadow } from './shadow/shadow.ts';
import { withinLimit } from './time-limit.ts';

export interface PassContext extends StepContext {
  readonly parallelChecks: number;
  readonly cleanTemporaries: boolean;
  /** Of a dry run: the view that `platform` is of. */
  readonly shadow?: Shadow;
}

type Compared = Extract<Checked, { kind: 'compared' }>;
/**
 * One pass. Resources are settled strictly in plan order, one at a time, so the outcome is that of a
 * sequential run even where the stack leaves an order unsaid; only looking ahead is parallel. What was
 * seen ahead of a change is forgotten, because the change may have made it untrue.
 */
export class Pass {
  readonly #resources: readonly CompiledResource[];
  readonly #options: PassOptions;
  readonly #context: PassContext;
  readonly #dryRun: boolean;
  readonly #prediction: Prediction | undefined;
  readonly #outcomes: ResourceOutcome[] = [];
  /** Checks begun ahead of their turn. */
  readonly #ahead = new Map<number, { checked: Promise<Checked>; stop: AbortController }>();
  /** Positions of resources whose trigger is to be served. */
  readonly #owed: Set<number>;
  readonly #moduleHolds = new Map<string, boolean>();
  readonly #cleaned = new Set<string>();

  constructor(document: CompiledDocument, options: PassOptions, context: PassContext) {
    this.#resources = document.resources;
    this.#options = options;
    this.#context = context;
    this.#dryRun = options.dryRun === true;
    this.#prediction = context.shadow && new Prediction(context.shadow, context);
    const pending = new Set(options.pendingTriggers);
    this.#owed = new Set(
      pending.size === 0
        ? []
        : this.#resources.flatMap(({ node }) => (pending.has(node.id) ? [node.index] : [])),
    );
  }

  async run(): Promise<PassResult> {
    const { clock } = this.#context.platform;
    const { signal } = this.#options;
    const startedAtMs = clock.nowMs();
    const start = clock.monotonicMs();
    const pendingBefore = this.#owedIds();
    const forward = () => this.#stopAhead();
    signal?.addEventListener('abort', forward);
    try {
      for (const resource of this.#resources) await this.#step(resource);
    } finally {
      signal?.removeEventListener('abort', forward);
    }
    const summary = summarize(this.#outcomes);
    return {
      dryRun: this.#dryRun,
      state: passState(summary),
      summary,
      resources: this.#outcomes,
      pendingTriggers: this.#dryRun ? pendingBefore : this.#owedIds(),
      aborted: signal?.aborted === true,
      startedAtMs,
      durationMs: Math.round(clock.monotonicMs() - start),
    };
  }

  #owedIds(extra: readonly number[] = []): string[] {
    const positions = [...new Set([...this.#owed, ...extra])].sort((a, b) => a - b);
    return positions.map((position) => this.#resources[position]!.node.id);
  }

  async #step(resource: CompiledResource): Promise<void> {
    const { clock } = this.#context.platform;
    const start = clock.monotonicMs();
    const ending = await this.#settle(resource);
    const outcome: ResourceOutcome = {
      id: resource.node.id,
      type: resource.node.resource.type,
      action: ending.action,
      reason: oneLine(this.#redacted(ending.reason, resource)),
      diff: this.#diff(ending.diff ?? '', resource),
      errorCode: ending.errorCode ?? '',
      durationMs: Math.round(clock.monotonicMs() - start),
      ...(ending.assumed === true ? { assumed: true } : {}),
    };
    this.#outcomes.push(outcome);
    this.#options.onOutcome?.(outcome);
  }

  /** Cleaned before anything is cut, since half a value is one too. */
  #redacted(text: string, { secretPaths }: CompiledResource): string {
    return this.#context.secrets.redactor.text(text, secretPaths.size > 0);
  }

  #diff(diff: string, resource: CompiledResource): string {
    if (diff === '') return '';
    if (resource.secretPaths.size > 0) return secretDiff;
    return boundedDiff(this.#redacted(diff, resource));
  }

  async #settle(resource: CompiledResource): Promise<Ending> {
    const { index } = resource.node;
    const triggered = this.#owed.has(index);
    if (this.#options.signal?.aborted)
      return { action: 'skipped', reason: 'the pass was stopped', errorCode: 'AGENT_ABORTED' };
    const waits = this.#unmet(resource);
    if (waits !== undefined) return waits;
    if (this.#context.cleanTemporaries) await this.#clean(resource);
    this.#lookAhead(index);
    const { checked: pending } = this.#ahead.get(index)!;
    const checked = await pending;
    this.#ahead.delete(index);
    this.#rememberModule(resource, checked, triggered);
    const ending = await this.#conclude(resource, checked, triggered);
    if (ending.action !== 'failed' && ending.action !== 'blocked') this.#owed.delete(index);
    return ending;
  }

  /** The first dependency that did not succeed, if any. */
  #unmet(resource: CompiledResource): Ending | undefined {
    for (const position of resource.node.dependencies) {
      const before = this.#outcomes[position]!;
      const bad = before.action === 'failed' || before.action === 'blocked';
      const chained =
        before.errorCode === 'AGENT_DEPENDENCY_FAILED' || before.errorCode === 'AGENT_ABORTED';
      if (!bad && !chained) continue;
      return {
        action: 'skipped',
        reason: `needs ${before.id}, which ${bad ? verb(before.action) : 'was skipped'}`,
        errorCode: 'AGENT_DEPENDENCY_FAILED',
      };
    }
    return undefined;
  }

  /** Begins checks from `index` on, of resources whose predecessors are all settled. */
  #lookAhead(index: number): void {
    const end = Math.min(index + this.#context.parallelChecks, this.#resources.length);
    for (let position = index; position < end; position += 1) {
      if (this.#ahead.has(position)) continue;
      const resource = this.#resources[position]!;
      const { dependencies, triggeredBy } = resource.node;
      if ((dependencies.at(-1) ?? -1) >= index || (triggeredBy.at(-1) ?? -1) >= index) continue;
      const stop = new AbortController();
      this.#ahead.set(position, { checked: this.#check(resource, stop.signal), stop });
    }
  }

  #check(resource: CompiledResource, signal: AbortSignal): Promise<Checked> {
    const triggered = this.#owed.has(resource.node.index);
    return check(
      {
        resource,
        triggered,
        moduleHolds: triggered ? undefined : this.#moduleHolds.get(resource.node.module.name),
        signal,
      },
      this.#context,
    );
  }

  /** A module's condition is asked once, when its first resource has its turn. */
  #rememberModule(resource: CompiledResource, checked: Checked, triggered: boolean): void {
    const { name } = resource.node.module;
    if (triggered || checked.kind === 'failure' || this.#moduleHolds.has(name)) return;
    this.#moduleHolds.set(name, !(checked.kind === 'skipped' && checked.module === true));
  }

  async #conclude(
    resource: CompiledResource,
    checked: Checked,
    triggered: boolean,
  ): Promise<Ending> {
    if (checked.kind === 'skipped')
      return this.#still(resource, { action: 'skipped', reason: checked.reason });
    if (checked.kind === 'failure') return this.#failed(resource, checked.failure);
    if (this.#prediction !== undefined) return this.#predict(resource, checked, triggered);
    const { drift } = checked;
    if (!isChange(drift)) return drift;
    const failure = await this.#apply(resource, checked, triggered);
    if (failure !== undefined) return { ...failure, diff: drift.diff ?? '' };
    for (const target of resource.node.triggers) this.#owed.add(target);
    return drift;
  }

  /** What was looked at ahead saw the node without this change. */
  async #predict(
    resource: CompiledResource,
    compared: Compared,
    triggered: boolean,
  ): Promise<Ending> {
    if (!isChange(compared.drift)) return this.#still(resource, compared.drift);
    const ahead = [...this.#ahead.values()].map(({ checked }) => checked);
    this.#forgetAhead();
    await Promise.all(ahead);
    const { signal } = this.#options;
    const ending = await this.#prediction!.act(resource, compared, triggered, signal);
    return this.#trigger(resource, ending);
  }

  #still(resource: CompiledResource, ending: Ending): Ending {
    return this.#prediction === undefined ? ending : this.#prediction.still(resource, ending);
  }

  #trigger({ node }: CompiledResource, ending: Ending): Ending {
    if (changed(ending.action)) for (const target of node.triggers) this.#owed.add(target);
    return ending;
  }

  /** What is missing in a dry run may be what an earlier, only predicted change would bring. */
  async #failed(resource: CompiledResource, failure: Failure): Promise<Ending> {
    if (this.#prediction === undefined) return failure;
    return this.#trigger(resource, await this.#prediction.excuse(resource, failure));
  }

  async #apply(
    resource: CompiledResource,
    { rendered, state, drift }: Compared,
    triggered: boolean,
  ): Promise<Failure | undefined> {
    const { node, type } = resource;
    if (!isChange(drift)) return undefined;
    this.#forgetAhead();
    let began = false;
    try {
      if (node.triggers.length > 0)
        await this.#options.persistTriggers?.(this.#owedIds(node.triggers));
      await this.#within(resource, rendered, async (signal) => {
        await checkResolvedTargets(rendered, this.#context);
        await this.#markSecretPlaces(resource, rendered);
        began = true;
        await type.apply(
          rendered.spec,
          state,
          drift,
          resourceContext(this.#context, triggered, signal),
        );
      });
      return await this.#verify(resource, rendered);
    } catch (thrown) {
      if (began) await this.#oweAfterFailure(resource, rendered);
      return toFailure(thrown);
    }
  }

  /** Known on disk before the first byte of a secret is written. */
  async #markSecretPlaces({ secretPaths }: CompiledResource, rendered: Rendered): Promise<void> {
    const { secretPlaces, platform } = this.#context;
    if (secretPaths.size > 0) await secretPlaces.add(await writtenPaths(rendered, platform));
  }

  #within<T>(
    resource: CompiledResource,
    rendered: Rendered,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const { clock } = this.#context.platform;
    return withinLimit(clock, limitOf(resource, rendered), this.#options.signal, work);
  }

  async #verify(resource: CompiledResource, rendered: Rendered): Promise<Failure | undefined> {
    if (resource.type.verifiable === false) return undefined;
    const { signal } = this.#options;
    const { drift } = await observe(resource, rendered, false, signal, this.#context);
    if (!isChange(drift)) return undefined;
    return { action: 'failed', reason: drift.reason, errorCode: 'AGENT_VERIFY_FAILED' };
  }

  /**
   * An apply that failed late may have done its work: then the next pass sees nothing to do, and
   * what it triggers must not be lost. If drift remains, the next pass repeats it and triggers then.
   */
  async #oweAfterFailure(resource: CompiledResource, rendered: Rendered): Promise<void> {
    const { triggers } = resource.node;
    if (triggers.length === 0 || resource.type.verifiable === false) return;
    try {
      const { signal } = this.#options;
      const { drift } = await observe(resource, rendered, false, signal, this.#context);
      if (isChange(drift)) return;
    } catch {
      // Not known: a restart too many is better than one too few.
    }
    for (const target of triggers) this.#owed.add(target);
  }

  #forgetAhead(): void {
    this.#stopAhead();
    this.#ahead.clear();
  }

  #stopAhead(): void {
    for (const { stop } of this.#ahead.values()) stop.abort();
  }

  /** Removes what an interrupted write left beside the paths of this resource. */
  async #clean(resource: CompiledResource): Promise<void> {
    const { platform, secrets } = this.#context;
    if (platform.paths.confined && !resource.type.confinable) return;
    try {
      const data = await templateData(resource, this.#context);
      const { targets } = resource.render(data, secrets);
      for (const target of targets) {
        if (target.kind !== 'path') continue;
        for (const followLast of [false, true])
          await this.#cleanBeside(await platform.paths.resolve(target.value, { followLast }));
      }
    } catch {
      // Whatever is wrong with the resource or the directory, its own check says so.
    }
  }

  async #cleanBeside(path: string): Promise<void> {
    const directory = dirname(path);
    if (this.#cleaned.has(directory)) return;
    this.#cleaned.add(directory);
    await this.#context.platform.files.removeTemporaries(directory);
  }
}

function verb(action: Action): string {
  return action === 'blocked' ? 'is blocked' : 'failed';
}

import type { Action, Drift, Target } from '../../executors/contract.ts';
import {
  type Checked,
  checkResolvedTargets,
  isChange,
  observe,
  resourceContext,
  type StepContext,
  templateData,
} from '../check.ts';
import type { CompiledResource } from '../compile.ts';
import { type Failure, toFailure } from '../failure.ts';
import { changed, type Ending } from '../result.ts';
import type { Shadow } from './shadow.ts';

type Compared = Extract<Checked, { kind: 'compared' }>;

/** These say that something is not there, which an earlier resource's processes may bring. */
const missing: ReadonlySet<string> = new Set([
  'AGENT_PATH_MISSING',
  'AGENT_USER_UNKNOWN',
  'AGENT_GROUP_UNKNOWN',
  'AGENT_COMMAND_MISSING',
  'AGENT_SERVICE_UNKNOWN',
  'AGENT_REGION_MISSING',
  'AGENT_DOCKER_UNAVAILABLE',
  'AGENT_DOCKER_IMAGE_MISSING',
]);
/** A program that is missing cannot have said what the state is. */
const unobserved: ReadonlySet<string> = new Set(['AGENT_COMMAND_MISSING', 'AGENT_REGION_MISSING']);

/** A resource that would run processes, of which nobody knows what they bring. */
interface Provider {
  readonly id: string;
  readonly type: string;
}

/**
 * The rules of a dry run (docs/plan.md). A type that only touches files acts on the view in memory,
 * so that later resources meet the node as it would be. What the processes of the others would bring
 * is not known: a later resource that misses something is assumed to find it then.
 */
export class Prediction {
  readonly #shadow: Shadow;
  readonly #context: StepContext;
  /** Those that may bring anything: a type that says what its act comes to is none of them. */
  readonly #providers: Provider[] = [];
  /** Positions of providers and of all that depend on one, with the provider. */
  readonly #dependent = new Map<number, Provider>();
  /** Positions whose prediction rests on a provider. */
  readonly #assumed = new Map<number, Provider>();
  /** Positions that change for certain. */
  readonly #changes = new Set<number>();

  constructor(shadow: Shadow, context: StepContext) {
    this.#shadow = shadow;
    this.#context = context;
  }

  /** What a resource with drift would come to. No observation may be under way. */
  async act(
    resource: CompiledResource,
    compared: Compared,
    triggered: boolean,
    signal: AbortSignal | undefined,
  ): Promise<Ending> {
    const { rendered, drift } = compared;
    const diff = drift.diff ?? '';
    try {
      await checkResolvedTargets(rendered, this.#context);
      return this.#mark(
        resource,
        resource.type.confinable
          ? await this.#actInMemory(resource, compared, triggered, signal)
          : await this.#foresee(resource, compared),
      );
    } catch (thrown) {
      return { ...(await this.excuse(resource, toFailure(thrown))), diff };
    }
  }

  /** What to predict of a resource that could not be looked at, or whose act would fail. */
  async excuse(resource: CompiledResource, failure: Failure): Promise<Ending> {
    const { dependencies } = resource.node;
    const near = dependencies.map((position) => this.#dependent.get(position)).find(Boolean);
    const provider = near ?? this.#providers.at(-1);
    if (provider === undefined || !missing.has(failure.errorCode)) return failure;
    return this.#mark(resource, {
      action: await this.#actionOn(resource, failure),
      reason: `assuming that ${provider.id} brings what is missing: ${failure.reason}`,
      assumed: true,
    });
  }

  /** What stands as it should, or is held back, as far as an earlier provider leaves it so. */
  still(resource: CompiledResource, ending: Ending): Ending {
    const provider = this.#basis(resource, ending.action);
    if (provider === undefined) return ending;
    const reason = `${ending.reason}; only the node can tell after ${provider.id}`;
    return this.#mark(resource, { ...ending, reason });
  }

  async #actInMemory(
    resource: CompiledResource,
    { rendered, state, drift }: Compared,
    triggered: boolean,
    signal: AbortSignal | undefined,
  ): Promise<Ending> {
    if (!isChange(drift)) return drift;
    const { type } = resource;
    const inner = signal ?? new AbortController().signal;
    const context = resourceContext(this.#context, triggered, inner);
    const act = await this.#shadow.act(() => type.apply(rendered.spec, state, drift, context));
    if (act.ranProcess) {
      if (act.failed) this.#provides(resource);
      return drift;
    }
    if (act.failed) throw act.thrown;
    if (type.verifiable === false) return drift;
    const after = await observe(resource, rendered, false, signal, this.#context);
    if (!isChange(after.drift)) return drift;
    const { reason } = after.drift;
    return { action: 'failed', reason, errorCode: 'AGENT_VERIFY_FAILED', diff: drift.diff ?? '' };
  }

  async #foresee(
    resource: CompiledResource,
    { rendered, state, drift }: Compared,
  ): Promise<Ending> {
    const { type } = resource;
    const broughtBy = this.#providers.map((provider) => provider.type);
    const { platform } = this.#context;
    const foreseen: Drift =
      (await type.foresee?.(rendered.spec, state, drift, { platform, broughtBy })) ?? drift;
    const brings = foreseen.action === 'created' || foreseen.action === 'updated';
    if (brings && type.foreseesAll !== true) this.#provides(resource);
    return foreseen.action === drift.action ? foreseen : { ...foreseen, assumed: true };
  }

  #provides({ node, type }: CompiledResource): void {
    const provider = { id: node.id, type: node.resource.type };
    if (type.foresee === undefined) this.#providers.push(provider);
    this.#dependent.set(node.index, provider);
  }

  #mark(resource: CompiledResource, ending: Ending): Ending {
    const { index } = resource.node;
    const provider = this.#basis(resource, ending.action);
    if (provider === undefined) {
      if (changed(ending.action)) this.#changes.add(index);
      return ending;
    }
    this.#dependent.set(index, provider);
    this.#assumed.set(index, provider);
    return { ...ending, assumed: true };
  }

  /**
   * The provider that a prediction rests on: whatever depends on one finds what it brings, and what
   * is triggered (or not) by such a prediction alone waits for it too.
   */
  #basis({ node }: CompiledResource, action: Action): Provider | undefined {
    const { dependencies, triggeredBy } = node;
    const near = dependencies.map((position) => this.#dependent.get(position)).find(Boolean);
    if (near !== undefined) return near;
    if (action === 'none' || triggeredBy.some((position) => this.#changes.has(position)))
      return undefined;
    return triggeredBy.map((position) => this.#assumed.get(position)).find(Boolean);
  }

  /** Only an editor of what is there misses its own target; anything else would make it. */
  async #actionOn(resource: CompiledResource, failure: Failure): Promise<'created' | 'updated'> {
    // An engine that is yet to come holds nothing yet.
    if (failure.errorCode === 'AGENT_DOCKER_UNAVAILABLE') return 'created';
    if (unobserved.has(failure.errorCode)) return 'updated';
    const targets = await this.#targets(resource);
    const path = targets.find(({ kind }) => kind === 'path')?.value;
    if (path === undefined) return 'updated';
    const words = failure.reason.split(/[\s,:;"']+/);
    if (failure.errorCode === 'AGENT_PATH_MISSING' && words.includes(path)) return 'updated';
    const { files, paths } = this.#context.platform;
    return (await files.status(await paths.resolve(path))) === undefined ? 'created' : 'updated';
  }

  async #targets(resource: CompiledResource): Promise<readonly Target[]> {
    try {
      const data = await templateData(resource, this.#context);
      return resource.render(data, this.#context.secrets).targets;
    } catch {
      return [];
    }
  }
}

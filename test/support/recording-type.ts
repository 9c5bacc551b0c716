import type {
  AnyResourceType,
  Drift,
  ResourceContext,
  ResourceType,
} from '../../agent/executors/contract.ts';
import type { PolicyValue } from '../../agent/protocol/bundle.ts';

/** What a test lets a resource of the recording type do; key = its parameter `key`. */
export interface Script {
  /** Drift is there until applied; 'always' = a one-shot effect. */
  readonly drift?: boolean | 'always';
  readonly observeError?: unknown;
  /** Thrown by apply: before it did its work, or after. */
  readonly applyError?: unknown;
  readonly failsAfterWork?: boolean;
  /** Apply changes nothing. */
  readonly ineffective?: boolean;
  readonly hangs?: 'observe' | 'apply';
}

interface Spec {
  readonly key: string;
}

/** A resource type that does what a script says and notes every call, for tests of the engine. */
export class RecordingType {
  /** "observe a", "apply a", "apply a triggered" in the order of the calls. */
  readonly calls: string[] = [];
  readonly scripts = new Map<string, Script>();
  readonly applied = new Set<string>();
  readonly timeoutMs: number;
  /** Observations that ran at the same time. */
  parallel = 0;
  mostParallel = 0;

  constructor(timeoutMs = 5_000) {
    this.timeoutMs = timeoutMs;
  }

  script(key: string, script: Script): this {
    this.scripts.set(key, script);
    return this;
  }

  applies(): string[] {
    return this.calls.filter((call) => call.startsWith('apply'));
  }

  type(): AnyResourceType {
    const type: ResourceType<Spec, { drifted: boolean }> = {
      name: 'recording',
      parameters: [],
      // It acts on this object, not on the platform, which a dry run's view could keep apart.
      confinable: false,
      timeoutMs: this.timeoutMs,
      parse: (values: Readonly<Record<string, PolicyValue>>) => ({ key: String(values.key) }),
      observe: (spec, context) => this.#observe(spec.key, context),
      compare: (spec, state): Drift =>
        state.drifted
          ? { action: 'updated', reason: `${spec.key} differs`, diff: `diff of ${spec.key}` }
          : { action: 'none', reason: 'as declared' },
      apply: (spec, _state, _drift, context) => this.#apply(spec.key, context),
      targets: () => [],
    };
    return type;
  }

  async #observe(key: string, context: ResourceContext): Promise<{ drifted: boolean }> {
    const script = this.scripts.get(key) ?? {};
    this.calls.push(`observe ${key}`);
    this.parallel += 1;
    this.mostParallel = Math.max(this.mostParallel, this.parallel);
    await new Promise((resolve) => setImmediate(resolve));
    this.parallel -= 1;
    if (script.hangs === 'observe') await aborted(context.signal);
    if (script.observeError !== undefined) throw script.observeError;
    const once = script.drift === true && !this.applied.has(key);
    return { drifted: once || (script.drift === 'always' && context.triggered) };
  }

  async #apply(key: string, context: ResourceContext): Promise<void> {
    const script = this.scripts.get(key) ?? {};
    this.calls.push(`apply ${key}${context.triggered ? ' triggered' : ''}`);
    if (script.hangs === 'apply') await aborted(context.signal);
    if (script.applyError !== undefined && !script.failsAfterWork) throw script.applyError;
    if (!script.ineffective) this.applied.add(key);
    if (script.applyError !== undefined) throw script.applyError;
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const end = () => reject(new Error('aborted'));
    if (signal.aborted) end();
    signal.addEventListener('abort', end);
  });
}

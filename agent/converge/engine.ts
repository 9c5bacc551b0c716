import type { TypeRegistry } from '../executors/registry.ts';
import type { Platform } from '../platform/platform.ts';
import { type GuardLayout, standardLayout } from '../policy/guardrails.ts';
import type { BundleDocument } from '../protocol/bundle.ts';
import { type CompiledDocument, compileDocument, type Traits } from './compile.ts';
import { Pass } from './pass.ts';
import type { PassResult, ResourceOutcome } from './result.ts';
import { createShadow } from './shadow/shadow.ts';
import { noSnapshots, type Snapshots } from './snapshots.ts';

export interface EngineOptions {
  readonly platform: Platform;
  readonly registry: TypeRegistry;
  readonly snapshots?: Snapshots;
  readonly limits?: EngineLimits;
  /** What guardrails protect; `guardLayout(paths)` adds the places of this installation. */
  readonly layout?: GuardLayout;
}

export interface EngineLimits {
  /** Resources looked at at the same time. Default 8. */
  readonly parallelChecks?: number;
}

export interface PassOptions {
  readonly document: BundleDocument;
  readonly traits: Traits;
  readonly dryRun?: boolean;
  /** A document that comes only once, such as a candidate: what is compiled of it is not kept. */
  readonly transient?: boolean;
  /** `pendingTriggers` of the last result, or what `persistTriggers` was given last. */
  readonly pendingTriggers?: readonly string[];
  readonly signal?: AbortSignal;
  /**
   * Called before a resource that triggers others is changed, with all triggers owed from then on.
   * Durable when it resolves, so that a crash between a change and its restart loses no restart.
   */
  readonly persistTriggers?: (ids: readonly string[]) => Promise<void>;
  /** Called as each resource ends, in order. */
  readonly onOutcome?: (outcome: ResourceOutcome) => void;
}

export interface Engine {
  /**
   * One convergence pass. Trouble of a resource is in its outcome; only a document that gives no
   * plan is an error. One pass at a time.
   *
   * @throws {AgentError} AGENT_PLAN_*
   */
  pass(options: PassOptions): Promise<PassResult>;
}

export const defaultParallelChecks = 8;

export function createEngine(options: EngineOptions): Engine {
  const { platform, registry } = options;
  let compiled: { document: BundleDocument; ready: CompiledDocument } | undefined;
  let cleaned = false;
  return {
    pass: async (request) => {
      const { document, dryRun } = request;
      const ready =
        compiled?.document === document ? compiled.ready : compileDocument(document, registry);
      if (request.transient !== true) compiled = { document, ready };
      const shadow = dryRun === true ? createShadow(platform) : undefined;
      const pass = new Pass(ready, request, {
        platform: shadow?.platform ?? platform,
        ...(shadow === undefined ? {} : { shadow }),
        snapshots: dryRun === true ? noSnapshots : (options.snapshots ?? noSnapshots),
        layout: options.layout ?? standardLayout,
        traits: request.traits,
        parallelChecks: options.limits?.parallelChecks ?? defaultParallelChecks,
        cleanTemporaries: !cleaned && dryRun !== true,
      });
      const result = await pass.run();
      // An interrupted write can only stem from an earlier process, so one pass of this one suffices.
      if (!result.dryRun && !result.aborted) cleaned = true;
      return result;
    },
  };
}

import type { TypeRegistry } from '../executors/registry.ts';
import type { Platform } from '../platform/platform.ts';
import { type GuardLayout, standardLayout } from '../policy/guardrails.ts';
import type { BundleDocument } from '../protocol/bundle.ts';
import { toHex } from '../protocol/bytes.ts';
import { guardedSnapshots } from '../secrets/guarded-snapshots.ts';
import { noSecretPlaces, type SecretPlaces } from '../secrets/secret-places.ts';
import { noSecretValues, type SecretValues } from '../secrets/secret-values.ts';
import { type CompiledDocument, compileDocument, type Traits } from './compile.ts';
import { Pass } from './pass.ts';
import type { PassResult, ResourceOutcome } from './result.ts';
import { createShadow } from './shadow/shadow.ts';
import { noSnapshots, type Snapshots } from './snapshots.ts';

export interface EngineOptions {
  readonly platform: Platform;
  readonly registry: TypeRegistry;
  readonly snapshots?: Snapshots;
  /** Which files got secrets; without it only values that are held now are recognised. */
  readonly secretPlaces?: SecretPlaces;
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
  /**
   * The values of the secrets that the document's resources can hold; asked only when there are any.
   * What it has no value for is blocked.
   */
  readonly secrets?: (paths: readonly string[]) => Promise<SecretValues>;
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
const nonceLength = 16;

export function createEngine(options: EngineOptions): Engine {
  const { platform, registry } = options;
  let compiled: { document: BundleDocument; ready: CompiledDocument } | undefined;
  let cleaned = false;
  const nonce = toHex(platform.host.randomBytes(nonceLength));
  return {
    pass: async (request) => {
      const { document, dryRun } = request;
      const ready =
        compiled?.document === document
          ? compiled.ready
          : compileDocument(document, registry, nonce);
      if (request.transient !== true) compiled = { document, ready };
      const shadow = dryRun === true ? createShadow(platform) : undefined;
      const secrets = await secretsFor(ready, request);
      const secretPlaces = options.secretPlaces ?? noSecretPlaces;
      const pass = new Pass(ready, request, {
        platform: shadow?.platform ?? platform,
        ...(shadow === undefined ? {} : { shadow }),
        secrets,
        secretPlaces,
        snapshots: guardedSnapshots(
          dryRun === true ? noSnapshots : (options.snapshots ?? noSnapshots),
          { files: platform.files, redactor: secrets.redactor, places: secretPlaces },
        ),
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

async function secretsFor(
  { resources }: CompiledDocument,
  { secrets }: PassOptions,
): Promise<SecretValues> {
  const paths = new Set(resources.flatMap(({ secretPaths }) => [...secretPaths]));
  return secrets === undefined || paths.size === 0 ? noSecretValues : await secrets([...paths]);
}

import { AgentError } from '../errors.ts';
import type { Drift, ResourceContext } from '../executors/contract.ts';
import type { Platform } from '../platform/platform.ts';
import { checkTarget, type GuardLayout } from '../policy/guardrails.ts';
import type { TemplateData } from '../policy/template/template.ts';
import type { SecretPlaces } from '../secrets/secret-places.ts';
import type { SecretValues } from '../secrets/secret-values.ts';
import type { CompiledResource, Rendered, Traits } from './compile.ts';
import { NodeConditions } from './environment.ts';
import { type Failure, toFailure } from './failure.ts';
import type { VarsContext } from './module-vars.ts';
import { MountAliases } from './mount-aliases.ts';
import { writtenPaths } from './secret-resources.ts';
import type { Snapshots } from './snapshots.ts';
import { withinLimit } from './time-limit.ts';

/** What the steps of one resource need from the pass. */
export interface StepContext {
  readonly platform: Platform;
  readonly snapshots: Snapshots;
  readonly layout: GuardLayout;
  readonly traits: Traits;
  readonly secrets: SecretValues;
  readonly secretPlaces: SecretPlaces;
}

/** What looking at a resource brought. Nothing was changed by it. */
export type Checked =
  | { readonly kind: 'skipped'; readonly reason: string; readonly module?: boolean }
  | { readonly kind: 'failure'; readonly failure: Failure }
  | {
      readonly kind: 'compared';
      readonly rendered: Rendered;
      readonly state: unknown;
      readonly drift: Drift;
    };

export interface CheckRequest {
  readonly resource: CompiledResource;
  readonly triggered: boolean;
  /** The module's condition, when this pass knows it already. */
  readonly moduleHolds: boolean | undefined;
  readonly signal: AbortSignal | undefined;
}

const defaultLimitMs = 300_000;

/** Conditions, parameters, guardrails, observation and comparison. Never rejects. */
export async function check(request: CheckRequest, context: StepContext): Promise<Checked> {
  const { resource, signal } = request;
  try {
    const data = await templateData(resource, context);
    const skipped = await held(request, data, context);
    if (skipped !== undefined) return skipped;
    if (context.platform.paths.confined && !resource.type.confinable)
      throw new AgentError('AGENT_TYPE_NOT_CONFINABLE', { detail: resource.type.name });
    const rendered = resource.render(data, context.secrets);
    refuse(rendered.guarded.refusal(context.layout));
    const compared = await observe(resource, rendered, request.triggered, signal, context);
    if (isChange(compared.drift)) await checkResolvedTargets(rendered, context);
    const drift = await withoutSecretContent(compared.drift, rendered, context);
    return { kind: 'compared', rendered, state: compared.state, drift };
  } catch (thrown) {
    return { kind: 'failure', failure: toFailure(thrown) };
  }
}

/** In place of a diff that would show a secret, or what a file held when it held one. */
export const secretDiff = 'content not shown: it holds a secret';

async function withoutSecretContent(
  drift: Drift,
  rendered: Rendered,
  { platform, secretPlaces }: StepContext,
): Promise<Drift> {
  if (drift.diff === undefined || drift.diff === '') return drift;
  for (const path of await writtenPaths(rendered, platform))
    if (await secretPlaces.has(path)) return { ...drift, diff: secretDiff };
  return drift;
}

/** Looks again after an apply; throws what the executor throws. */
export function observe(
  resource: CompiledResource,
  rendered: Rendered,
  triggered: boolean,
  signal: AbortSignal | undefined,
  context: StepContext,
): Promise<{ state: unknown; drift: Drift }> {
  const { type } = resource;
  return withinLimit(context.platform.clock, limitOf(resource, rendered), signal, async (inner) => {
    const state = await type.observe(rendered.spec, resourceContext(context, triggered, inner));
    return { state, drift: type.compare(rendered.spec, state, { triggered }) };
  });
}

export function limitOf(resource: CompiledResource, rendered: Rendered): number {
  return resource.type.timeoutOf?.(rendered.spec) ?? (resource.type.timeoutMs || defaultLimitMs);
}

export function resourceContext(
  context: StepContext,
  triggered: boolean,
  signal: AbortSignal,
): ResourceContext {
  return {
    platform: context.platform,
    signal,
    triggered,
    snapshot: (path) => context.snapshots.keep(path),
  };
}

export function isChange(
  drift: Drift,
): drift is Drift & { action: 'created' | 'updated' | 'deleted' } {
  return drift.action !== 'none' && drift.action !== 'skipped';
}

export async function templateData(
  resource: CompiledResource,
  context: VarsContext,
): Promise<TemplateData> {
  const data = { Vars: await resource.vars(context), Traits: context.traits };
  const { item } = resource.node.resource;
  return item === undefined ? data : { ...data, Item: item, Each: item };
}

/** Why the resource has no say in this pass. */
async function held(
  request: CheckRequest,
  data: TemplateData,
  context: StepContext,
): Promise<Checked | undefined> {
  const { resource, triggered, signal } = request;
  const { platform, traits } = context;
  const evaluate = (when: ReturnType<CompiledResource['moduleWhen']>) =>
    when === undefined
      ? true
      : withinLimit(platform.clock, defaultLimitMs, signal, (inner) =>
          when.evaluate(new NodeConditions(platform, traits, triggered, inner, data.Vars)),
        );
  const moduleWhen = resource.moduleWhen();
  if (!(request.moduleHolds ?? (await evaluate(moduleWhen))))
    return { kind: 'skipped', reason: `condition of the module: ${moduleWhen}`, module: true };
  const when = resource.when(data);
  if (!triggered && (when?.needsTrigger || resource.oneShot))
    return { kind: 'skipped', reason: 'not triggered' };
  if (!(await evaluate(when))) return { kind: 'skipped', reason: `condition: ${when}` };
  return undefined;
}

function refuse(refusal: { readonly reason: string } | undefined): void {
  if (refusal !== undefined) throw new AgentError('AGENT_GUARDRAIL', { detail: refusal.reason });
}

const everythingBelow = '/**';

/** A tree is resolved by its top: who may not enter it can still be told where it is. */
async function resolveTarget(
  paths: Platform['paths'],
  value: string,
  followLast: boolean,
): Promise<string> {
  if (!value.endsWith(everythingBelow)) return await paths.resolve(value, { followLast });
  const top = value.slice(0, -everythingBelow.length) || '/';
  const resolved = await paths.resolve(top, { followLast: true });
  return `${resolved.replace(/\/$/, '')}${everythingBelow}`;
}

/**
 * The same with links followed and under every name that bind mounts give: done for every change,
 * right before it.
 */
export async function checkResolvedTargets(
  rendered: Rendered,
  { platform, layout }: StepContext,
): Promise<void> {
  const { paths } = platform;
  let aliases: MountAliases | undefined;
  for (const target of rendered.guarded.targets) {
    if (target.kind !== 'path') continue;
    for (const followLast of [false, true]) {
      const value = paths.declared(await resolveTarget(paths, target.value, followLast));
      refuse(checkTarget({ ...target, value }, layout));
      if (target.placeOnly) continue;
      aliases ??= await MountAliases.read(platform);
      const entered = target.effect === 'remove' ? aliases.pointsBelow(value) : [];
      for (const place of [value, ...entered])
        for (const name of aliases.of(place)) {
          const refusal = checkTarget({ ...target, value: name }, layout);
          if (refusal !== undefined) refuse({ reason: `${place} is ${refusal.reason}` });
        }
    }
  }
}

import type { GuardLayout } from '../../agent/policy/guardrails.ts';
import { type BundleDocument, bundleFormatVersion } from '../../agent/protocol/bundle.ts';
import { decodeBundle } from '../../agent/protocol/bundle-document.ts';
import { fromHex, toHex } from '../../agent/protocol/bytes.ts';
import type { Sha256 } from '../../agent/protocol/crypto.ts';
import { makeUuid, uuidToText } from '../../agent/protocol/uuid.ts';
import type { ActorKind, Turn } from '../../runtime/actor.ts';
import { createPolicyView } from '../envoy/policy-view.ts';
import { ServerError } from '../errors.ts';
import type { PolicyTables } from '../policy/tables.ts';
import { groupMatcher, rootsOf } from '../publish/groups.ts';
import type { Diagnostic } from '../publish/messages.ts';
import { hasErrors, type Policy, readPolicy } from '../publish/policy.ts';
import { chooseAsked, connectedEnvoys, type FleetFacts } from './choose.ts';
import { changedGroups, type FleetChange } from './fleet-groups.ts';
import {
  type LiveRequest,
  type PlanCreated,
  type PlanMessages,
  type PlanRequest,
  rehearsalLimit,
} from './messages.ts';
import { newCommands } from './new-commands.ts';
import { planGroups } from './planner.ts';
import { storePlan } from './store-plan.ts';
import { candidateLimit, type PlanTables } from './tables.ts';

const mailboxLimit = 1_000;
/** Diagnostics that an error carries; `validate` has them all. */
const carriedLimit = 200;
/** Resources that a refusal names. */
const namedLimit = 10;
const waitFloorMs = 30_000;
const waitCeilingMs = 3_600_000;
/** Candidates are looked after at least this often. */
const sweepMs = 60_000;

export interface PlanOptions {
  readonly stackDirectory: string;
  readonly tables: PolicyTables;
  readonly planTables: PlanTables;
  readonly crypto: Sha256;
  readonly layout: GuardLayout;
  readonly facts: FleetFacts;
  /** Between two check-ins. */
  readonly intervalMs: number;
  /** A second person must approve what is published. */
  readonly approvalRequired: boolean;
}

type PlanTurn = Turn<undefined>;

const emptyDocument: BundleDocument = { format: bundleFormatVersion, modules: [], templates: {} };

/** The plan actor: says what a stack would change, and has envoys say it too. One per server. */
export function planKind(options: PlanOptions): ActorKind<undefined, PlanMessages> {
  return {
    name: 'plan',
    placement: 'service',
    mailboxLimit,
    idleAfterMs: 0,
    restart: { maxRestarts: 10, withinMs: 60_000 },
    activate: () => undefined,
    handlers: {
      create: (turn, request) => createPlan(options, turn, request),
      answered: (turn, { planId, envoyIds }) => {
        const { rehearsals } = options.planTables;
        for (const envoyId of envoyIds) {
          const row = turn.store.get(rehearsals, envoyId);
          // A later plan may have a question of its own.
          if (row && uuidToText(row.planId) === planId) turn.remove(rehearsals, envoyId);
        }
        return undefined;
      },
      sweep: (turn) => sweep(options, turn),
    },
  };
}

async function createPlan(
  options: PlanOptions,
  turn: PlanTurn,
  request: PlanRequest,
): Promise<PlanCreated> {
  const { crypto, layout, stackDirectory, tables } = options;
  const { ports } = turn;
  const tools = { ports, crypto, layout };
  const policy = await readPolicy(request.directory ?? stackDirectory, tools);
  if (hasErrors(policy.result)) throw invalid(policy.result.diagnostics);
  const change = await changeOf(options, turn, policy);
  const documents = {
    oldDocument: (root: string) => decodeOrEmpty(turn.store.get(tables.bundles, root)),
    newDocument: (root: string) => decodeOrEmpty(policy.bundles.get(root)),
  };
  if (request.live !== undefined && options.approvalRequired) {
    for (const { oldRoot, newRoot } of change.groups)
      refuseNewCommands(documents.oldDocument(oldRoot), documents.newDocument(newRoot));
  }
  const details = await planGroups(change.groups, { facts: options.facts, ports, ...documents });
  const nowMs = ports.clock.nowMs();
  const asked = await askedOf(options, turn, change, request.live);
  const planId = makeUuid(ports.random.bytes(16).slice());
  const deadlineMs = asked.size === 0 ? 0 : nowMs + waitMs(request.live, options.intervalMs);
  const id = uuidToText(planId);
  await storePlan(turn, {
    id,
    createdAtMs: nowMs,
    createdBy: request.by,
    contentHash: policy.stackHash,
    baseVersion: turn.store.get(tables.current, 'current')?.version ?? 0,
    deadlineMs,
    change,
    details,
    asked,
  });
  if (asked.size > 0) ask(options, turn, policy, { planId, nowMs, deadlineMs, change, asked });
  const { result: validation, stackHash: contentHash } = policy;
  return { id, contentHash, validation, asked: asked.size, deadlineMs };
}

/** Conditions and guards run on the node in a dry run too. */
function refuseNewCommands(live: BundleDocument, candidate: BundleDocument): void {
  const fresh = newCommands(live, candidate);
  if (fresh.length === 0) return;
  const shown = fresh.slice(0, namedLimit).join(', ');
  const more = fresh.length > namedLimit ? ` and ${fresh.length - namedLimit} more` : '';
  throw new ServerError('PLAN_COMMANDS_UNAPPROVED', { resources: `${shown}${more}` });
}

function invalid(diagnostics: readonly Diagnostic[]): ServerError {
  const errors = diagnostics.filter(({ severity }) => severity === 'error');
  const { file, line, column, message } = errors[0]!;
  return new ServerError('PUBLISH_INVALID', {
    errors: errors.length,
    first: `${file}:${line}:${column}: ${message}`,
    diagnostics: JSON.stringify(diagnostics.slice(0, carriedLimit)),
  });
}

/** From what each envoy gets at this moment, stages of a rollout included. */
function changeOf({ tables }: PlanOptions, turn: PlanTurn, policy: Policy): Promise<FleetChange> {
  const view = createPolicyView(turn.store, tables, turn.ports.clock);
  const groupOf = groupMatcher(policy.generation);
  const rootOf = rootsOf(policy.generation);
  return changedGroups(
    { store: turn.store, tables, ports: turn.ports },
    (envoyId) => view.assigned(envoyId).root,
    (hostname) => rootBytes(rootOf(groupOf(hostname))),
  );
}

function rootBytes(hex: string): Uint8Array {
  return fromHex(hex) ?? new Uint8Array(0);
}

function decodeOrEmpty(bytes: Uint8Array | undefined): BundleDocument {
  return bytes === undefined ? emptyDocument : decodeBundle(Uint8Array.from(bytes));
}

async function askedOf(
  { facts, intervalMs }: PlanOptions,
  turn: PlanTurn,
  { groups }: FleetChange,
  live: LiveRequest | undefined,
): Promise<ReadonlySet<string>> {
  if (live === undefined || groups.length === 0) return new Set();
  return chooseAsked(groups, live, await connectedEnvoys(facts, intervalMs, turn.ports));
}

function waitMs(live: LiveRequest | undefined, intervalMs: number): number {
  const wanted = live?.waitMs ?? 2 * intervalMs + waitFloorMs;
  return Math.min(waitCeilingMs, Math.max(1_000, wanted));
}

interface Asking {
  /** 16 bytes. */
  readonly planId: Uint8Array;
  readonly nowMs: number;
  readonly deadlineMs: number;
  readonly change: FleetChange;
  readonly asked: ReadonlySet<string>;
}

/** From the commit of this turn on, shards put the question into the answers to check-ins. */
function ask(
  { planTables, approvalRequired }: PlanOptions,
  turn: PlanTurn,
  policy: Policy,
  { planId, nowMs, deadlineMs, change, asked }: Asking,
): void {
  const secrets = !approvalRequired;
  for (const { newRoot, members } of change.groups) {
    const chosen = members.filter(({ envoyId }) => asked.has(envoyId));
    if (chosen.length === 0) continue;
    turn.put(planTables.documents, newRoot, policy.bundles.get(newRoot)!);
    const root = rootBytes(newRoot);
    const row = { planId, root, issuedAtMs: nowMs, expiresAtMs: deadlineMs, secrets };
    for (const { envoyId } of chosen) turn.put(planTables.rehearsals, envoyId, row);
  }
  const known = turn.store.get(planTables.current, 'current')?.untilMs ?? 0;
  turn.put(planTables.current, 'current', { untilMs: Math.max(known, deadlineMs) });
  turn.setTimer('sweep', Math.min(deadlineMs, nowMs + sweepMs), 'sweep', {});
  turn.replyAfter('durable');
}

function sweep({ planTables }: PlanOptions, turn: PlanTurn): undefined {
  const nowMs = turn.ports.clock.nowMs();
  const used = new Set<string>();
  let nextMs = 0;
  for (const [envoyId, row] of turn.store.range(planTables.rehearsals, { limit: rehearsalLimit })) {
    if (row.expiresAtMs <= nowMs) {
      turn.remove(planTables.rehearsals, envoyId);
      continue;
    }
    used.add(toHex(row.root));
    nextMs = Math.max(nextMs, row.expiresAtMs);
  }
  for (const [root] of turn.store.range(planTables.documents, { limit: candidateLimit }))
    if (!used.has(root)) turn.remove(planTables.documents, root);
  if (used.size > 0) turn.setTimer('sweep', Math.min(nextMs, nowMs + sweepMs), 'sweep', {});
  else turn.remove(planTables.current, 'current');
  return undefined;
}

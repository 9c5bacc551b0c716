import type { Transaction } from 'kysely';
import { ResourceAction, type ResourceResult } from '../../agent/protocol/gen/vigo/v1/agent.ts';
import { uuidToText } from '../../agent/protocol/uuid.ts';
import type { ReportedRun } from './fleet-batch.ts';
import { diffLimit, textLimit } from './limits.ts';
import { compareOutcome, type Expectation, type Outcome } from './plan-comparison.ts';
import { inChunks } from './plan-records.ts';
import type { PlanEnvoysTable } from './plan-tables.ts';
import type { SinkSchema } from './schema.ts';

type Writer = Transaction<SinkSchema>;

export interface PlanAnswer {
  readonly planId: string;
  readonly envoyId: string;
}

/** Misses that are kept of one envoy; the counts go on. */
const missLimit = 200;
const planIdLength = 16;

/**
 * Takes what freshly stored reports say about plans: answers to rehearsals, and the first outcome of
 * each envoy under a planned stack, which is compared with what was predicted of it.
 */
export async function applyPlanOutcomes(
  writer: Writer,
  runs: readonly ReportedRun[],
): Promise<PlanAnswer[]> {
  const answers: PlanAnswer[] = [];
  const plans = new Map<number, string | undefined>();
  for (const run of runs) {
    const { report, envoyId } = run;
    if (report.dryRun) {
      if (report.rehearsalPlanId.length !== planIdLength) continue;
      const planId = uuidToText(report.rehearsalPlanId);
      if (await storeAnswer(writer, planId, run)) answers.push({ planId, envoyId });
    } else if (report.policyChanged && report.summary !== undefined && !wasAborted(run)) {
      const version = report.policyVersion;
      if (!plans.has(version)) plans.set(version, await planOf(writer, version));
      const planId = plans.get(version);
      if (planId !== undefined) await score(writer, planId, run);
    }
  }
  return answers;
}

function wasAborted({ report }: ReportedRun): boolean {
  return report.results.some(({ errorCode }) => errorCode === 'AGENT_ABORTED');
}

/** The last plan of this version's files that was made against the version before it. */
async function planOf(writer: Writer, version: number): Promise<string | undefined> {
  const published = await writer
    .selectFrom('policy_versions')
    .select('stack_hash')
    .where('version', '=', version)
    .executeTakeFirst();
  if (published === undefined) return undefined;
  const before = await writer
    .selectFrom('policy_versions')
    .select((select) => select.fn.max('version').as('version'))
    .where('version', '<', version)
    .executeTakeFirst();
  const plan = await writer
    .selectFrom('plans')
    .select('plan_id')
    .where('stack_hash', '=', published.stack_hash)
    .where('base_version', '=', Number(before?.version ?? 0))
    .where('complete', '=', 1)
    .orderBy('created_at_ms', 'desc')
    .limit(1)
    .executeTakeFirst();
  return plan?.plan_id;
}

async function envoyOf(
  writer: Writer,
  planId: string,
  { envoyId, report }: ReportedRun,
): Promise<PlanEnvoysTable | undefined> {
  const root = Buffer.from(report.bundleRoot).toString('hex');
  return await writer
    .selectFrom('plan_envoys')
    .selectAll()
    .where('plan_id', '=', planId)
    .where('envoy_id', '=', envoyId)
    .where('root', '=', root)
    .executeTakeFirst();
}

async function storeAnswer(writer: Writer, planId: string, run: ReportedRun): Promise<boolean> {
  const row = await envoyOf(writer, planId, run);
  // Only those that were asked have a say, and only once.
  if (row?.asked !== 1 || row.answered_at_ms !== null) return false;
  const { report, envoyId, receivedAtMs } = run;
  const incident = report.incidents.at(-1);
  const trouble = report.summary === undefined ? (incident?.message ?? 'no pass could run') : '';
  await writer
    .updateTable('plan_envoys')
    .set({
      answered_at_ms: receivedAtMs,
      trouble: trouble.slice(0, textLimit),
      partial: Number(isPartial(run)),
    })
    .where('plan_id', '=', planId)
    .where('envoy_id', '=', envoyId)
    .execute();
  const predicted = distinct(report.results).filter(
    ({ action, assumed }) => action !== ResourceAction.RESOURCE_ACTION_NONE || assumed,
  );
  await inChunks(predicted, async (results) => {
    const rows = results.map((result) => ({
      plan_id: planId,
      envoy_id: envoyId,
      resource_id: result.id.slice(0, textLimit),
      type: result.type.slice(0, textLimit),
      action: result.action,
      assumed: Number(result.assumed),
      reason: result.reason.slice(0, textLimit),
      diff: result.diff.slice(0, diffLimit),
      error_code: result.errorCode.slice(0, textLimit),
    }));
    await writer.insertInto('plan_predictions').values(rows).execute();
  });
  return true;
}

function distinct(results: readonly ResourceResult[]): ResourceResult[] {
  return [...new Map(results.map((result) => [result.id, result])).values()];
}

/** A report that was too large has fewer results than its summary counts. */
function isPartial({ report }: ReportedRun): boolean {
  const { summary, results } = report;
  if (summary === undefined) return true;
  const told = results.filter(({ action }) => action !== ResourceAction.RESOURCE_ACTION_NONE);
  return told.length < summary.total - summary.unchanged;
}

async function score(writer: Writer, planId: string, run: ReportedRun): Promise<void> {
  const row = await envoyOf(writer, planId, run);
  if (row === undefined || row.scored_version !== null) return;
  const { envoyId, report } = run;
  await writer
    .updateTable('plan_envoys')
    .set({ scored_version: report.policyVersion })
    .where('plan_id', '=', planId)
    .where('envoy_id', '=', envoyId)
    .execute();
  const basis = row.answered_at_ms !== null && row.trouble === '' ? 'live' : 'server';
  const expected = await expectations(writer, row, basis);
  const actual: Outcome = {
    actions: new Map(report.results.map(({ id, action }) => [id, action])),
    partial: isPartial(run),
  };
  const { scores, misses } = compareOutcome(expected, actual);
  for (const [type, counts] of scores) {
    await writer
      .insertInto('plan_scores')
      .values({ plan_id: planId, basis, type, ...counts })
      .onConflict((conflict) =>
        conflict.columns(['plan_id', 'basis', 'type']).doUpdateSet((set) => ({
          predicted: set('plan_scores.predicted', '+', counts.predicted),
          matching: set('plan_scores.matching', '+', counts.matching),
          assumed: set('plan_scores.assumed', '+', counts.assumed),
          undetermined: set('plan_scores.undetermined', '+', counts.undetermined),
          unpredicted: set('plan_scores.unpredicted', '+', counts.unpredicted),
        })),
      )
      .execute();
  }
  const reasons = new Map(report.results.map(({ id, reason }) => [id, reason]));
  await inChunks(misses.slice(0, missLimit), async (chunk) => {
    const rows = chunk.map(({ id, type, predicted, actual: done, assumed }) => ({
      plan_id: planId,
      envoy_id: envoyId,
      resource_id: id,
      basis,
      type,
      predicted,
      actual: done,
      assumed: Number(assumed),
      reason: (reasons.get(id) ?? '').slice(0, textLimit),
    }));
    await writer.insertInto('plan_misses').values(rows).execute();
  });
}

/** What was predicted of every resource of the envoy's candidate. */
async function expectations(
  writer: Writer,
  { plan_id, envoy_id, group_index, partial }: PlanEnvoysTable,
  basis: 'live' | 'server',
): Promise<Expectation[]> {
  const resources = await writer
    .selectFrom('plan_resources')
    .select(['resource_id', 'type', 'action'])
    .where('plan_id', '=', plan_id)
    .where('group_index', '=', group_index)
    .execute();
  if (basis === 'server')
    return resources.map(({ resource_id: id, type, action }) => ({
      id,
      type,
      action: action < 0 ? undefined : action,
      assumed: false,
    }));
  const told = await writer
    .selectFrom('plan_predictions')
    .select(['resource_id', 'action', 'assumed'])
    .where('plan_id', '=', plan_id)
    .where('envoy_id', '=', envoy_id)
    .execute();
  const byId = new Map(told.map((row) => [row.resource_id, row]));
  return resources.map(({ resource_id: id, type }) => {
    const one = byId.get(id);
    const action = one?.action ?? (partial === 1 ? undefined : ResourceAction.RESOURCE_ACTION_NONE);
    return { id, type, action, assumed: one?.assumed === 1 };
  });
}

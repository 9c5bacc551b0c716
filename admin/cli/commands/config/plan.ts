import type { Command } from 'commander';
import type { PlanCreated, PlanRequest } from '../../../../actors/plan/messages.ts';
import type { PlanView } from '../../../../actors/plan/view.ts';
import { AdminError } from '../../../errors.ts';
import { examples } from '../../examples.ts';
import { exitCodes } from '../../exit-codes.ts';
import type { OpenSession, Session } from '../../session.ts';
import { briefIdLength, parseDuration } from '../../words.ts';
import { describePlan } from './plan-text.ts';
import {
  printDiagnostics,
  publishTimeoutMs,
  showingDiagnostics,
  stackFiles,
  stackOption,
} from './shared.ts';

interface PlanOptions {
  readonly stack?: string;
  readonly live?: boolean;
  readonly sample?: number;
  readonly all?: boolean;
  readonly target?: string[];
  readonly wait?: string;
}

/** Of each group of envoys, when nobody says how many. */
const defaultSample = 5;
const pollMs = 500;

const planHelp = `
Exit codes of a plan:
  0  nothing would change
  1  no plan: the stack has errors
  2  something would change
  3  some of the envoys that were asked gave no answer
  4  nobody can be asked`;

export function addPlanCommand(config: Command, open: OpenSession): void {
  const command = config
    .command('plan')
    .description('say what the stack would change, before anything is live')
    .addOption(stackOption())
    .option('--live', 'have connected envoys dry-run it for real, and join their answers')
    .option('--sample <number>', `of each group of envoys (default ${defaultSample})`, parseCount)
    .option('--all', 'ask every connected envoy whose policy would change')
    .option('--target <globs...>', 'ask only envoys of these host names')
    .option('--wait <duration>', 'how long answers are waited for, e.g. 2m')
    .addHelpText('after', planHelp)
    .action(async (options: PlanOptions) => plan(await open(), options));
  examples(command, [
    'vigocli config plan',
    'vigocli config plan --live',
    'vigocli config plan --live --all --target "web-*" --wait 5m',
    'vigocli config plan --stack ./my-stack --json',
  ]);
}

function parseCount(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count > 0) return count;
  throw new AdminError('CLI_USAGE', `"${text}" is no number from 1 on`);
}

function liveOf(options: PlanOptions): Pick<PlanRequest, 'live'> {
  const { live, sample, all, target, wait } = options;
  if (!live) {
    if (sample !== undefined || all || target !== undefined || wait !== undefined)
      throw new AdminError('CLI_USAGE', '--sample, --all, --target and --wait go with --live');
    return {};
  }
  if (all && sample !== undefined)
    throw new AdminError('CLI_USAGE', '--all and --sample exclude each other');
  return {
    live: {
      ...(all ? {} : { sample: sample ?? defaultSample }),
      ...(target === undefined ? {} : { target }),
      ...(wait === undefined ? {} : { waitMs: parseDuration(wait) }),
    },
  };
}

async function plan(it: Session, options: PlanOptions): Promise<void> {
  const body = { ...stackFiles(options.stack), ...liveOf(options) };
  const path = '/api/v1/config/plans';
  const created = await showingDiagnostics(it, () =>
    it.client.post<PlanCreated>(path, body, publishTimeoutMs),
  );
  printDiagnostics(it, created.validation.diagnostics);
  const view = await answered(it, `${path}/${created.id}`, created);
  process.exitCode = planExitCode(view);
  it.print(view, () => {
    const id = view.id.slice(0, briefIdLength);
    const next = `Publish it and be told how true it was: vigocli config publish --plan ${view.id}`;
    return view.envoys === 0
      ? describePlan(view)
      : `${describePlan(view)}\nPlan ${id}. ${next}, then vigocli config fidelity`;
  });
}

/** Waits until everybody answered or the time is over. */
async function answered(it: Session, path: string, created: PlanCreated): Promise<PlanView> {
  let told = -1;
  for (;;) {
    const view = await it.client.get<PlanView>(path);
    const { live } = view;
    if (live === undefined || live.over) return view;
    if (live.answered !== told) it.note(`${live.answered} of ${created.asked} envoys answered`);
    told = live.answered;
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

const changes = ['created', 'updated', 'deleted', 'failed', 'blocked'];

export function planExitCode({ envoys, live, summary }: PlanView): number {
  if (live !== undefined && (live.answered < live.asked || live.troubles.length > 0))
    return exitCodes.partial;
  const pending =
    live === undefined
      ? envoys > 0 && Object.keys(summary).some((change) => change !== 'skip')
      : changes.some((action) => (live.summary[action] ?? 0) > 0);
  return pending ? exitCodes.changesPending : exitCodes.done;
}

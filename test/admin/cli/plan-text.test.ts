import { stripVTControlCharacters } from 'node:util';
import t from 'tap';
import type { PlannedResource } from '../../../actors/plan/messages.ts';
import type { PlanView, RehearsedResource } from '../../../actors/plan/view.ts';
import { scoreText } from '../../../admin/cli/commands/config/fidelity.ts';
import { planExitCode } from '../../../admin/cli/commands/config/plan.ts';
import { describePlan } from '../../../admin/cli/commands/config/plan-text.ts';

const hostile = 'x\u001b[2J\u202e\nevil';
const resource = (change: PlannedResource['change'], more: Partial<PlannedResource> = {}) =>
  ({ id: 'm/r', type: 'file', change, reason: 'new', parameters: [], envoys: 1, ...more }) as const;

function planOf(resources: readonly PlannedResource[], more: Partial<PlanView> = {}): PlanView {
  const summary: Record<string, number> = {};
  for (const { change } of resources) summary[change] = (summary[change] ?? 0) + 1;
  const group = { oldRoot: 'a', newRoot: 'b', envoys: 40, evaluated: 2, unchanged: 7, omitted: 0 };
  return {
    id: '3f2a91c0-0000-4000-8000-000000000000',
    createdAtMs: 1,
    createdBy: 'admin:ada',
    contentHash: 'c',
    baseVersion: 3,
    fleet: 50,
    envoys: 40,
    groups: [{ ...group, hostnames: ['web-1', 'web-2'], resources }],
    summary,
    ...more,
  };
}

const live = (resources: readonly RehearsedResource[], more: object = {}) => ({
  asked: 40,
  answered: 40,
  deadlineMs: 9,
  over: true,
  silent: [],
  troubles: [],
  resources,
  summary: { updated: 1 },
  ...more,
});
const variant = {
  action: 'updated',
  reason: 'content differs',
  diff: '-a\n+b',
  errorCode: '',
  assumed: true,
  envoys: 37,
  hostname: 'web-1',
};
const rehearsed = (more: Partial<RehearsedResource> = {}): RehearsedResource => ({
  id: 'm/r',
  type: 'file',
  envoys: 40,
  actions: { updated: 37, none: 3 },
  assumed: 37,
  variants: [variant],
  moreVariants: 0,
  ...more,
});
const text = (plan: PlanView) => stripVTControlCharacters(describePlan(plan));

t.test('what a person reads before a publish', async (t) => {
  const content = { name: 'content', before: 'same\nold\nend', after: 'same\nnew\nmore\nend' };
  const mode = { name: 'mode', before: '0644', after: '0600' };
  const shown = text(
    planOf([
      resource('create', { parameters: [{ name: 'content', after: 'hello' }] }),
      resource('update', { id: 'm/u', parameters: [content, mode], envoys: 1 }),
      resource('delete', { id: 'm/d', envoys: 2 }),
      resource('unknown', { id: 'm/q', reason: "only the node can answer: file_exists('/x')" }),
    ]),
  );
  t.match(shown, /web-1, web-2, 38 more \(40 envoys, with the traits of 2 of 40\)/);
  t.match(shown, /\+ m\/r {2}file {2}create: new \(on 1 of 2\)\n +content: hello/);
  t.match(shown, /content:\n +-old\n +\+new\n +\+more\n +mode: 0644 -> 0600/);
  t.notMatch(shown, /-same/);
  t.match(shown, /\? m\/q .*file_exists\('\/x'\); needs --live/);
  t.match(shown, /7 resources as before/);
  t.match(shown, /Plan: 1 to create, 1 to update, 1 to delete, 1 only the node knows on 40 envoys/);
});

t.test('what the envoys said, joined', async (t) => {
  const plan = planOf([], { live: live([rehearsed()]) });
  t.match(text(plan), /~ m\/r {2}file {2}updated on 37 of 40; 3 already right\n +content differs/);
  t.match(text(plan), /\[assumed\]\n +-a\n +\+b/);
  t.match(text(plan), /Plan: 1 to update on 40 envoys in 1 group\.$/);
  const failed = { ...variant, action: 'failed', errorCode: 'AGENT_GUARDRAIL', diff: '' };
  const bad = live([rehearsed({ actions: { failed: 40 }, variants: [failed] })]);
  t.match(text(planOf([], { live: bad })), /✗ m\/r .*failed on 40 of 40\n +AGENT_GUARDRAIL/);
});

t.test('what is right only as far as anybody knows is shown too', async (t) => {
  const reason = 'is not there; only the node can tell after nginx/nginx';
  const right = { ...variant, action: 'none', diff: '', reason, envoys: 40 };
  const doubtful = rehearsed({ actions: { none: 40 }, assumed: 40, variants: [right] });
  const shown = text(planOf([], { live: live([doubtful], { summary: {} }) }));
  t.match(shown, /\? m\/r {2}file {2}40 already right\n +is not there; only .* \[assumed\]/);
});

t.test('names and contents of others cannot move the cursor', async (t) => {
  const before = `a${hostile}`;
  const plan = planOf(
    [resource('update', { id: hostile, reason: hostile, parameters: [{ name: hostile, before }] })],
    { live: live([rehearsed({ id: hostile, variants: [{ ...variant, diff: hostile }] })]) },
  );
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
  t.notMatch(describePlan(plan).replaceAll(/\u001b\[\d+m/g, ''), /[\u0000-\u0009\u001b\u202e]/);
});

t.test('the exit code tells a script what to do', async (t) => {
  const quiet = live([], { summary: {} });
  t.equal(planExitCode(planOf([], { envoys: 0, groups: [] })), 0);
  t.equal(planExitCode(planOf([resource('update')])), 2);
  t.equal(planExitCode(planOf([resource('update')], { live: quiet })), 0, 'they have it already');
  t.equal(planExitCode(planOf([], { live: live([rehearsed()]) })), 2);
  t.equal(planExitCode(planOf([], { live: live([], { answered: 39 }) })), 3);
  const troubles = [{ hostname: 'web-1', trouble: 'no plan' }];
  t.equal(planExitCode(planOf([], { live: live([], { troubles }) })), 3);
});

t.test('a score is never better than it is', async (t) => {
  t.equal(scoreText(999_999, 1_000_000), '99.99 %');
  t.equal(scoreText(10, 10), '100 %');
  t.equal(scoreText(0, 0), '-');
});

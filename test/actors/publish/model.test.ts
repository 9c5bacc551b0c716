import t from 'tap';
import { codeOf } from '../../../actors/errors.ts';
import { fc } from '../../support/property.ts';
import { intervalMs, one, type PublishFleet, publishFleet, withContent } from './publish-fleet.ts';

const hosts = ['web-1', 'web-2', 'web-3', 'db-1'];
const reason = 'test';

type Step =
  | {
      readonly do: 'edit';
      readonly content: string;
      readonly broken: boolean;
      readonly group: boolean;
    }
  | { readonly do: 'publish'; readonly by: string; readonly stages: readonly string[] }
  | { readonly do: 'approve' | 'reject'; readonly by: string }
  | { readonly do: 'rollback'; readonly back: number }
  | { readonly do: 'pass'; readonly failing: number }
  | { readonly do: 'fail'; readonly nth: number }
  | { readonly do: 'crash'; readonly afterMs: number }
  | { readonly do: 'freeze' | 'unfreeze' | 'pause' | 'resume' | 'abort' | 'finish' }
  | { readonly do: 'power loss' | 'thread crash' | 'database' };

const admin = fc.constantFrom('admin:ann', 'admin:bob');
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant('edit' as const),
    content: fc.constantFrom('b', 'c', 'd', 'e'),
    broken: fc.constant(false),
    group: fc.boolean(),
  }),
  fc.record({
    do: fc.constant('edit' as const),
    content: fc.constant('x'),
    broken: fc.constant(true),
    group: fc.constant(false),
  }),
  fc.record({
    do: fc.constant('publish' as const),
    by: admin,
    stages: fc.constantFrom([], [], ['30%'], ['web-2', '60%']),
  }),
  fc.record({
    do: fc.constant('publish' as const),
    by: admin,
    stages: fc.constantFrom([], ['30%']),
  }),
  fc.record({ do: fc.constantFrom('approve' as const, 'approve', 'reject'), by: admin }),
  fc.record({ do: fc.constant('rollback' as const), back: fc.integer({ min: 0, max: 3 }) }),
  fc.record({ do: fc.constant('pass' as const), failing: fc.integer({ min: 0, max: 2 }) }),
  fc.record({ do: fc.constant('crash' as const), afterMs: fc.integer({ min: 0, max: 12 }) }),
  fc.record({ do: fc.constant('fail' as const), nth: fc.integer({ min: 1, max: 25 }) }),
  fc.record({
    do: fc.constantFrom(
      ...(['freeze', 'unfreeze', 'pause', 'resume', 'abort', 'finish'] as const),
      ...(['power loss', 'thread crash', 'database'] as const),
    ),
  }),
);

/** What must hold whatever happened, seen from outside. */
class Model {
  readonly it: PublishFleet;
  readonly approvalRequired: boolean;
  /** Contents that may be enforced: valid and, where that is required, approved. */
  readonly allowed = new Set<unknown>([undefined, 'a']);
  stack = one as Record<string, string>;
  content = 'a';
  version = 0;

  constructor(it: PublishFleet, approvalRequired: boolean) {
    this.it = it;
    this.approvalRequired = approvalRequired;
  }

  /** Also when the answer is lost. */
  mayComeIntoForce(): void {
    if (!this.approvalRequired && this.content !== 'invalid') this.allowed.add(this.content);
  }

  async take(step: Step): Promise<void> {
    const { it } = this;
    switch (step.do) {
      case 'edit': {
        const { content, broken, group } = step;
        this.content = broken ? 'invalid' : content;
        this.stack = broken ? { ...one, 'bad.vgo': 'envoys: [{match: 7' } : withContent(content);
        if (group) {
          const site =
            'envoys:\n  - {match: "web-2", modules: []}\n  - {match: "*", modules: [web]}\n';
          this.stack = { ...this.stack, 'a.vgo': site };
        }
        await it.stack(this.stack);
        return;
      }
      case 'publish': {
        this.mayComeIntoForce();
        const rollout = { stages: step.stages, observeMs: step.stages.length * intervalMs };
        await it.publish({ by: step.by, rollout });
        return;
      }
      case 'approve':
      case 'reject': {
        const { candidate } = await it.query('status', {});
        const contentHash = candidate?.contentHash ?? 'none';
        if (step.do === 'approve' && candidate !== undefined && candidate.author !== step.by) {
          const { files } = await it.query('files', { of: 'candidate' });
          const web = files.find(({ path }) => path === 'modules/web.vgo')?.text ?? '';
          this.allowed.add(/content: (\w+)/.exec(web)?.[1]);
        }
        await it.ask(step.do, { contentHash, by: step.by, reason });
        return;
      }
      case 'rollback': {
        const version = step.back === 0 ? {} : { version: Math.max(1, this.version - step.back) };
        await it.ask('rollback', { message: reason, by: 'admin:ann', ...version });
        return;
      }
      case 'pass': {
        for (const [index, host] of hosts.entries()) it.checkIn(host, index < step.failing ? 4 : 1);
        await it.simulation.run(intervalMs);
        return;
      }
      case 'freeze':
        await it.ask('freeze', { reason, by: 'admin:ann', untilMs: it.nowMs + 5000 });
        return;
      case 'unfreeze':
        await it.ask('unfreeze', { reason, by: 'admin:ann' });
        return;
      case 'crash':
        this.mayComeIntoForce();
        await it.crashWhilePublishing(step.afterMs);
        return;
      case 'fail':
        this.mayComeIntoForce();
        it.simulation.disk.failNth = step.nth;
        await it.publish().finally(() => {
          it.simulation.disk.failNth = 0;
        });
        return;
      case 'power loss':
        await it.simulation.powerLoss();
        await it.ask('recover', {});
        return;
      case 'thread crash':
        it.simulation.kill('service');
        await it.simulation.run(20_000);
        await it.ask('recover', {});
        return;
      case 'database':
        it.sinkFails = !it.sinkFails;
        return;
      default:
        await it.rollout(step.do, { by: 'admin:ann', reason });
    }
  }

  async check(): Promise<void> {
    const { it } = this;
    const version = it.version();
    if (version < this.version) throw new Error(`version ${version} after ${this.version}`);
    this.version = version;
    // A document that is not there throws.
    for (const host of hosts) {
      const content = it.content(host);
      if (!this.allowed.has(content)) throw new Error(`${host} enforces ${String(content)}`);
    }
    const status = await it.query('status', {});
    if (status.version !== version)
      throw new Error(`${status.version} on file, ${version} in force`);
    const { rollout } = status;
    const underWay = rollout?.status === 'watching' || rollout?.status === 'paused';
    if (underWay && rollout.version !== version) throw new Error('a rollout of another version');
  }
}

const refusals = /^(PUBLISH_|ROLLOUT_|RUNTIME_)/;

for (const approvalRequired of [false, true]) {
  t.test(`any order of orders and accidents, approval ${approvalRequired}`, async (t) => {
    const property = fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
      const it = await publishFleet({ approvalRequired });
      await it.addAll(hosts.map((host) => ({ envoyId: host, hostname: host, revoked: false })));
      const model = new Model(it, approvalRequired);
      await it.stack(one);
      for (const each of steps) {
        try {
          await model.take(each);
        } catch (error) {
          const down = it.sinkFails && /the sink is down/.test(String(error));
          if (!down && !refusals.test(codeOf(error))) throw error;
          // A turn that failed half-way is finished by the next one.
          if (!it.sinkFails) await it.ask('recover', {}).catch(() => undefined);
        }
        await model.check();
      }
    });
    await t.resolves(fc.assert(property, { numRuns: 40, interruptAfterTimeLimit: 20_000 }));
  });
}

/** What is lost when this fails: the audit explorer shows other entries than it was asked for. */
import t from 'tap';
import { type AuditFilter, SinkQueries } from '../../../actors/sink/queries.ts';
import { auditEvent, testSink } from '../support/sink.ts';

t.test(
  'entries are found by family, person, subject and place, newest or oldest first',
  async (t) => {
    const { writer, file } = testSink(t);
    const types = [
      'rollout.started',
      'rollout.completed',
      'rolloutx.other',
      'policy.published',
    ] as const;
    const events = Array.from({ length: 12 }, (_, at) => ({
      ...auditEvent(String(at)),
      type: types[at % 4] as 'rollout.started',
      actor: at < 6 ? 'admin:alice' : 'admin:bob',
      subject: `s${at % 3}`,
    }));
    await writer.write([], events);
    const queries = new SinkQueries(file);
    t.teardown(() => queries.close());
    const found = (filter: Partial<AuditFilter>) =>
      queries
        .audit({ afterSequence: 0, limit: 5, ...filter })
        .items.map(({ sequence }) => sequence);
    t.same(
      found({ type: 'rollout.*' }),
      [1, 2, 5, 6, 9],
      'a family is no mere beginning of a name',
    );
    t.same(found({ type: 'rollout.started' }), [1, 5, 9]);
    t.same(found({ newest: true, beforeSequence: 9 }), [4, 5, 6, 7, 8], 'the page before');
    t.same(found({ actor: 'admin:bob', subject: 's0' }), [7, 10]);
    t.same(found({ type: '%', actor: "x' or 1=1 --" }), [], 'patterns and quotes are text');
  },
);

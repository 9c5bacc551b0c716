/** What is lost when this fails: who is needed is sent to a page that does not exist, or may not open. */
import t from 'tap';
import { attentionKinds } from '../../../actors/sink/fleet-views.ts';
import { attentionList } from '../../../admin/web/pages/attention.ts';

const matter = (kind: (typeof attentionKinds)[number], state?: 'failed') => ({
  kind,
  severity: 'warning' as const,
  text: `about ${kind}`,
  count: 1,
  state,
  examples: [{ id: '0a1b', name: 'its name' }],
});
const shown = (kind: (typeof attentionKinds)[number], seesTokens = true, state?: 'failed') =>
  attentionList([matter(kind, state)] as never, 0, seesTokens).text;

t.test('each matter leads to where it is decided, and only envoys to envoys', (t) => {
  t.match(
    shown('failed', true, 'failed'),
    /href="\/envoys\?state=failed"[\s\S]*href="\/envoys\/0a1b"/,
  );
  const others = attentionKinds
    .slice(attentionKinds.indexOf('approval'))
    .filter((kind) => kind !== 'envoy-certificate');
  t.equal(others.length, 6);
  for (const kind of others) {
    const markup = shown(kind);
    t.match(markup, new RegExp(`href="/[a-z/]+">about ${kind}<`), kind);
    t.match(markup, 'its name');
    t.notMatch(markup, '/envoys/', `${kind} is no envoy`);
  }
  t.match(
    shown('envoy-certificate'),
    /href="\/envoys\?sort=certificate"[\s\S]*href="\/envoys\/0a1b"/,
    'these are envoys, whatever state they are in',
  );
  t.notMatch(shown('api-token', false), 'href', 'who has no page of them is told all the same');
  t.end();
});

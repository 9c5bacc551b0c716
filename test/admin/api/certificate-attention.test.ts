/** What is lost when this fails: a machine is shut out one day because nobody was told to enroll it again. */
import t from 'tap';
import type { CertificateGroup, EndingCertificates } from '../../../actors/sink/fleet-views.ts';
import { certificateAttention } from '../../../admin/api/certificate-attention.ts';

const day = 86_400_000;
const now = 1_800_000_000_000;
const none: CertificateGroup = { count: 0, firstEndsMs: undefined, examples: [] };
const some = (count: number, leftMs: number): CertificateGroup => ({
  count,
  firstEndsMs: now + leftMs,
  examples: [{ id: 'id', name: 'web-1' }],
});
const said = (found: Partial<EndingCertificates>) =>
  certificateAttention({ ended: none, ending: none, ...found }, now).map(
    ({ severity, text }) => `${severity}: ${text}`,
  );

t.test('what has ended is worst, what ends in days comes before what ends in weeks', (t) => {
  t.same(said({}), []);
  t.same(said({ ending: some(4, 29 * day) }), [
    'warning: 4 envoys: the client certificate ends, the first in 29 days; ' +
      'enroll again with a new token: vigo install --reenroll',
  ]);
  t.match(said({ ending: some(1, 7 * day) }), [/^critical: 1 envoy: .* ends, in 7 days; enroll/]);
  t.match(said({ ending: some(1, day / 2), ended: some(2, -day) }), [
    /^critical: 2 envoys: the client certificate has ended, enroll again/,
    /^critical: 1 envoy: .* in 12 hours/,
  ]);
  const [ended, ...more] = certificateAttention({ ended: some(2, -day), ending: none }, now);
  t.same(more, []);
  t.match(ended, {
    kind: 'envoy-certificate',
    count: 2,
    sinceMs: now - day,
    examples: [{ id: 'id', name: 'web-1' }],
  });
  t.end();
});

import type {
  AttentionView,
  CertificateGroup,
  EndingCertificates,
} from '../../actors/sink/fleet-views.ts';
import { span } from './span.ts';

const urgentMs = 7 * 86_400_000;
const remedy = 'enroll again with a new token: vigo install --reenroll';

/** Envoys that somebody has to enroll again: an agent does not renew its certificate itself. Pure. */
export function certificateAttention(
  { ended, ending }: EndingCertificates,
  nowMs: number,
): AttentionView[] {
  const leftMs = (ending.firstEndsMs ?? nowMs) - nowMs;
  const severity = leftMs <= urgentMs ? 'critical' : 'warning';
  const first = ending.count === 1 ? '' : 'the first ';
  return [
    ...matter(ended, 'critical', `the client certificate has ended, ${remedy}`, ended.firstEndsMs),
    ...matter(
      ending,
      severity,
      `the client certificate ends, ${first}in ${span(leftMs)}; ${remedy}`,
    ),
  ];
}

function matter(
  { count, examples }: CertificateGroup,
  severity: AttentionView['severity'],
  words: string,
  sinceMs?: number,
): AttentionView[] {
  if (count === 0) return [];
  const text = `${count} ${count === 1 ? 'envoy' : 'envoys'}: ${words}`;
  return [
    { kind: 'envoy-certificate', severity, text, count, sinceMs, state: undefined, examples },
  ];
}

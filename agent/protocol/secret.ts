import { CanonicalWriter } from './canonical.ts';
import type { HpkeBinding } from './hpke.ts';

const sealDomain = 'vigo/secret/v1';

/**
 * What a sealed value is bound to: it opens only as the value of this reference, for this envoy, in
 * this epoch. A value sent under another name, or to another node, does not open.
 */
export function secretBinding(
  envoyId: Uint8Array,
  reference: string,
  secretsEpoch: number,
): HpkeBinding {
  const writer = new CanonicalWriter();
  const aad = writer.start(sealDomain).bytes(envoyId).text(reference).number(secretsEpoch).finish();
  return { info: new TextEncoder().encode(sealDomain), aad: Uint8Array.from(aad) };
}

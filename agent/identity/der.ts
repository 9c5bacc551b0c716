/** The few forms of DER (ITU-T X.690) that a certification request needs. */
const tagSequence = 0x30;
const tagSet = 0x31;

export function derSequence(...parts: readonly Uint8Array[]): Uint8Array {
  return derValue(tagSequence, join(parts));
}

export function derSet(...parts: readonly Uint8Array[]): Uint8Array {
  return derValue(tagSet, join(parts));
}

/** `dotted`: for example "2.5.4.3". */
export function derObjectIdentifier(dotted: string): Uint8Array {
  const [first, second, ...rest] = dotted.split('.').map(Number);
  const bytes = [first! * 40 + second!];
  for (const arc of rest) bytes.push(...base128(arc));
  return derValue(0x06, Uint8Array.from(bytes));
}

export function derSmallInteger(value: number): Uint8Array {
  return derValue(0x02, Uint8Array.of(value));
}

export function derUtf8(text: string): Uint8Array {
  return derValue(0x0c, new TextEncoder().encode(text));
}

/** A bit string of whole bytes. */
export function derBitString(bytes: Uint8Array): Uint8Array {
  return derValue(0x03, join([Uint8Array.of(0), bytes]));
}

/** The context-specific constructed value [0]. */
export function derContextZero(...parts: readonly Uint8Array[]): Uint8Array {
  return derValue(0xa0, join(parts));
}

function derValue(tag: number, content: Uint8Array): Uint8Array {
  return join([Uint8Array.of(tag), length(content.length), content]);
}

function length(value: number): Uint8Array {
  if (value < 0x80) return Uint8Array.of(value);
  const bytes: number[] = [];
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return Uint8Array.of(0x80 | bytes.length, ...bytes);
}

function base128(arc: number): number[] {
  const bytes = [arc & 0x7f];
  for (let rest = arc >> 7; rest > 0; rest >>= 7) bytes.unshift((rest & 0x7f) | 0x80);
  return bytes;
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

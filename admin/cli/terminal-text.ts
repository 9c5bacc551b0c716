/**
 * What must not reach a terminal from text that machines sent: control characters (C0, DEL, C1),
 * line separators, and characters that hide text or reverse its direction.
 */
const unprintable =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it finds
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;
/** The same beyond ASCII, which JSON.stringify leaves as they are. */
const unprintableInJson =
  /[\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: colours start with one
const colourCode = /\u001b\[[0-9;]*m/g;
const combining = /\p{Mark}/u;
const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;

/** One line that cannot move the cursor, colour the terminal or pretend to be other text. */
export function printable(text: string): string {
  return text.replaceAll(unprintable, ' ');
}

/** The same for text of several lines. */
export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n');
}

/** JSON that is safe on a terminal and means the same. */
export function jsonText(value: unknown, indent?: number): string {
  return escapeJson(JSON.stringify(value, null, indent));
}

export function escapeJson(json: string): string {
  return json.replaceAll(
    unprintableInJson,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

export function withoutColour(text: string): string {
  return text.replaceAll(colourCode, '');
}

/** Columns that the text takes on a terminal. */
export function textWidth(text: string): number {
  let total = 0;
  for (const character of withoutColour(text)) total += characterWidth(character);
  return total;
}

/** The beginning of the text, with an ellipsis, when it is wider than `size`. */
export function shorten(text: string, size: number): string {
  if (textWidth(text) <= size) return text;
  let kept = '';
  let used = 0;
  for (const character of text) {
    used += characterWidth(character);
    if (used >= size) break;
    kept += character;
  }
  return `${kept}…`;
}

function characterWidth(character: string): number {
  if (combining.test(character)) return 0;
  return wide.test(character) ? 2 : 1;
}

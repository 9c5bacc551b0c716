/** The text of a file, and what makes it none. */
export interface DecodedText {
  /** With faults: as well as it can be shown. */
  readonly text: string;
  readonly fault?: { readonly offset: number; readonly message: string };
}

const replacement = '\ufffd';
/** What no text file has; tabs and ends of lines are fine. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const control = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/;
/** They make a line look like another one to who approves it. */
const directional = /[\u202a-\u202e\u2066-\u2069]/;

/** UTF-8, with or without a byte order mark. `policy`: a .vgo file, in which nothing may mislead. */
export function decodeText(bytes: Uint8Array, policy: boolean): DecodedText {
  const text = new TextDecoder('utf-8').decode(bytes);
  const fault = faultOf(text, bytes, policy);
  return fault === undefined ? { text } : { text, fault };
}

function faultOf(text: string, bytes: Uint8Array, policy: boolean): DecodedText['fault'] {
  const [first, second] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) {
    return { offset: 0, message: 'the file is UTF-16; save it as UTF-8' };
  }
  if (!isUtf8(bytes)) {
    const offset = Math.max(0, text.indexOf(replacement));
    return { offset, message: 'the file is not UTF-8 text' };
  }
  const hidden = policy ? control.exec(text) : /\0/.exec(text);
  if (hidden !== null) {
    const code = hidden[0].charCodeAt(0).toString(16).toUpperCase().padStart(4, '0');
    return { offset: hidden.index, message: `the control character U+${code} is not allowed` };
  }
  const turned = policy ? directional.exec(text) : null;
  if (turned === null) return undefined;
  const code = turned[0].charCodeAt(0).toString(16).toUpperCase();
  const message = `U+${code} changes the direction of text; write "\\u${code}" in double quotes`;
  return { offset: turned.index, message };
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A value in the forms in which a program may have written it. */
function formsOf(value: string): Buffer[] {
  const bytes = Buffer.from(value);
  const base64 = [0, 1, 2].map((shift) =>
    // Any alignment, without the characters that depend on what stands beside it.
    Buffer.concat([Buffer.alloc(shift), bytes])
      .toString('base64')
      .slice(4, -4),
  );
  return [
    bytes,
    Buffer.from(bytes.toString('hex')),
    Buffer.from(bytes.toString('hex').toUpperCase()),
    Buffer.from(value, 'utf16le'),
    Buffer.from(JSON.stringify(value).slice(1, -1)),
    Buffer.from(encodeURIComponent(value)),
    ...base64.map((text) => Buffer.from(text)),
  ];
}

/** Searches for planted values in whatever left a process or reached a disk. */
export class LeakSearch {
  readonly #planted: readonly { readonly name: string; readonly forms: readonly Buffer[] }[];
  searched = 0;

  constructor(planted: Readonly<Record<string, string>>) {
    this.#planted = Object.entries(planted).map(([name, value]) => ({
      name,
      forms: formsOf(value),
    }));
  }

  /** Names of the values that stand in the bytes. */
  bytes(where: string, bytes: Uint8Array): string[] {
    this.searched += bytes.length;
    const hay = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    return this.#planted
      .filter(({ forms }) => forms.some((form) => hay.includes(form)))
      .map(({ name }) => `${name} in ${where}`);
  }

  text(where: string, text: string): string[] {
    return this.bytes(where, Buffer.from(text));
  }

  /** Every file beneath a directory. */
  tree(directory: string): string[] {
    const entries = readdirSync(directory, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .flatMap((entry) => {
        const path = join(entry.parentPath, entry.name);
        return [...this.bytes(path, readFileSync(path)), ...this.text(`the name of ${path}`, path)];
      });
  }
}

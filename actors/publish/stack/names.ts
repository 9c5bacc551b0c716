/** Characters of a name of a module, role, resource, environment or variable. */
export const nameLimit = 200;

/** Control characters, and those that change the direction or are not seen at all. */
const hidden = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}\p{Cn}]/u;

/** Why this cannot be a name, or undefined. */
export function nameFault(name: string): string | undefined {
  if (name.trim() === '') return 'a name must not be empty';
  if (name.length > nameLimit) return `a name has at most ${nameLimit} characters`;
  const found = hidden.exec(name);
  if (found === null) return undefined;
  const code = found[0].codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0');
  return `the name has the character U+${code}, which cannot be seen`;
}

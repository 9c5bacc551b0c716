import picomatch from 'picomatch';

/** What a selector may look at. */
export interface EnvoyFacts {
  readonly id: string;
  readonly hostname: string;
  /** The traits document, JSON; read only when a selector asks for it. */
  traits(): string | undefined;
}

const lengthMax = 300;
/** `path=value`: the path as in `os.family`. */
const traitForm = /^([a-z][a-z0-9_]*(?:\.[a-z0-9_-]+)*)=(.+)$/i;
const hostForm = /^[a-z0-9.*?_[\]{},!-]+$/i;

/**
 * Why the text is no selector of envoys, or undefined: a host name or a glob on it ("web-*"), an envoy
 * id, or a trait filter ("os.family=debian", the value may be a glob).
 */
export function selectorProblem(text: string): string | undefined {
  if (text === '' || text.length > lengthMax) return `a selector has 1 to ${lengthMax} characters`;
  if (traitForm.test(text) || hostForm.test(text)) return undefined;
  return `${JSON.stringify(text)} is neither a host name glob nor a trait filter (path=value)`;
}

/** Whether the selector means this envoy. What is no selector means none. */
export function selects(selector: string, envoy: EnvoyFacts): boolean {
  if (selectorProblem(selector) !== undefined) return false;
  const trait = traitForm.exec(selector);
  if (trait !== null) return hasTrait(envoy.traits(), trait[1] ?? '', trait[2] ?? '');
  const wanted = selector.toLowerCase();
  return (
    wanted === envoy.id ||
    picomatch.isMatch(envoy.hostname.toLowerCase(), wanted, { noextglob: true })
  );
}

function hasTrait(traits: string | undefined, path: string, wanted: string): boolean {
  if (traits === undefined) return false;
  let value: unknown = JSON.parse(traits);
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return false;
    value = (value as Record<string, unknown>)[name];
  }
  const values = Array.isArray(value) ? value : [value];
  return values.some(
    (each) =>
      ['string', 'number', 'boolean'].includes(typeof each) &&
      picomatch.isMatch(String(each), wanted, { dot: true, noextglob: true }),
  );
}

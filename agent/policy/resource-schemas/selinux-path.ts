import { parseRegularExpression } from '../regular-expression.ts';

/** Where a declared file context holds. */
export interface LabelledPlace {
  /** As semanage takes it: a regular expression of whole paths. */
  readonly expression: string;
  /** The path that the expression begins with, to its last whole component. */
  readonly stem: string;
  /** The expression is one path. */
  readonly single: boolean;
  /** The expression takes the stem itself in. */
  readonly holdsStem: boolean;
}

/**
 * A path, or an expression such as `/srv/www(/.*)?`. A path without one of ( [ { * + ? ^ $ | \ is
 * meant literally. Undefined for what is no expression, or begins with no directory.
 */
export function labelledPlace(text: string): LabelledPlace | undefined {
  const path = text.length > 1 ? text.replace(/\/+$/, '') : text;
  if (!/[([{*+?^$|\\]/.test(path))
    return { expression: path.replaceAll('.', '\\.'), stem: path, single: true, holdsStem: true };
  const parsed = parseRegularExpression(`^(?:${path})$`);
  if ('problem' in parsed) return undefined;
  const literal = /^(?:[^([{*+?^$|\\.]|\\[^A-Za-z0-9])*/.exec(path)?.[0] ?? '';
  const rest = path.slice(literal.length);
  // "/srv/w.*" begins with /srv; "/srv/www(/.*)?" with /srv/www.
  const whole = rest === '' || rest.startsWith('(/') || literal.endsWith('/');
  const kept = whole ? literal : literal.slice(0, literal.lastIndexOf('/'));
  const stem = kept.replace(/\\(.)/g, '$1').replace(/\/+$/, '');
  if (stem === '') return undefined;
  return { expression: path, stem, single: rest === '', holdsStem: parsed.expression.test(stem) };
}

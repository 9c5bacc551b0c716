import { hostnameMatcher } from '../policy/hostname-globs.ts';
import type { Selector, SelectorPart } from './selector.ts';

/** What a selector may look at. */
export interface EnvoyFacts {
  readonly id: string;
  readonly hostname: string;
  /** The traits document, JSON; asked for only when a selector needs it. */
  traits(): string | undefined;
}

/** Whether the selector means this envoy; the same answer as the database's index gives. */
export function selects({ parts }: Selector, envoy: EnvoyFacts): boolean {
  return parts.every((part) => holds(part, envoy));
}

function holds(part: SelectorPart, envoy: EnvoyFacts): boolean {
  if (part.kind === 'id') return envoy.id === part.id;
  if (part.kind === 'host') return hostnameMatcher([part.glob])(envoy.hostname);
  const fits = valueTest(part);
  return valuesAt(envoy.traits(), part.path).some(fits) !== part.not;
}

export function valueTest({
  value,
  glob,
}: Pick<SelectorPart & { kind: 'trait' }, 'value' | 'glob'>): (found: string) => boolean {
  if (!glob) return (found) => found === value;
  const source = value
    .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  const pattern = new RegExp(`^${source}$`, 'su');
  return (found) => pattern.test(found);
}

/** Texts, numbers and booleans at a path; of a list, every element's. A name may have dots in it. */
function valuesAt(traits: string | undefined, path: string): string[] {
  if (traits === undefined) return [];
  const found: string[] = [];
  const visit = (value: unknown, rest: string | undefined): void => {
    if (Array.isArray(value)) {
      for (const element of value) visit(element, rest);
    } else if (typeof value === 'object' && value !== null) {
      if (rest === undefined) return;
      for (const [name, below] of Object.entries(value)) {
        if (name === rest) visit(below, undefined);
        else if (rest.startsWith(`${name}.`)) visit(below, rest.slice(name.length + 1));
      }
    } else if (value !== null && rest === undefined) found.push(String(value));
  };
  visit(JSON.parse(traits), path);
  return found;
}

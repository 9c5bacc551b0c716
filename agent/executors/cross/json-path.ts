import { AgentError } from '../../errors.ts';
import { type JsonNode, sameJson } from './json-text.ts';

const indexPattern = /^(?:0|[1-9]\d{0,6})$/;

/** "server.ports.0" in its parts; a backslash keeps a dot or a backslash in a part. */
export function pathParts(key: string): string[] {
  const parts: string[] = [''];
  for (const [, escaped, dot, other] of key.matchAll(/\\([.\\])|(\.)|([^.])/gs)) {
    if (dot !== undefined) parts.push('');
    else parts[parts.length - 1] += escaped ?? other ?? '';
  }
  return parts;
}

/** The tree with `value` at the path; missing objects on the way are made. */
export function setAt(node: JsonNode | undefined, path: readonly string[], value: JsonNode) {
  return set(node, path, 0, value);
}

function set(
  node: JsonNode | undefined,
  path: readonly string[],
  at: number,
  value: JsonNode,
): JsonNode {
  const part = path[at];
  if (part === undefined) return node !== undefined && sameJson(node, value) ? node : value;
  // A list begins with its first element; any other name begins an object.
  const container = node ?? { kind: part === '0' ? 'array' : 'object', entries: [], items: [] };
  if (container.kind === 'array') {
    const index = elementIndex(container.items.length, path, at);
    const items = [...container.items];
    items[index] = set(items[index], path, at + 1, value);
    return { kind: 'array', items };
  }
  if (container.kind !== 'object') throw mismatch(path, at, 'is a plain value, not a structure');
  // Of a key that stands twice, readers take the last.
  const place = container.entries.findLastIndex(([key]) => key === part);
  if (place === -1)
    return {
      kind: 'object',
      entries: [...container.entries, [part, set(undefined, path, at + 1, value)]],
    };
  return {
    kind: 'object',
    entries: container.entries.map(([key, old], index) =>
      index === place ? [key, set(old, path, at + 1, value)] : [key, old],
    ),
  };
}

/** The tree without what is at the path; with `only`, an element of a list goes only if it is that. */
export function removeAt(
  node: JsonNode,
  path: readonly string[],
  only: JsonNode | undefined,
  at = 0,
): JsonNode {
  const part = path[at]!;
  const last = at === path.length - 1;
  if (node.kind === 'literal') return node;
  if (node.kind === 'object') {
    const entries = node.entries.flatMap(([key, value]): (readonly [string, JsonNode])[] => {
      if (key !== part) return [[key, value]];
      if (!last) return [[key, removeAt(value, path, only, at + 1)]];
      return only === undefined || sameJson(value, only) ? [] : [[key, value]];
    });
    return { kind: 'object', entries };
  }
  if (!indexPattern.test(part)) return node;
  const items = node.items.flatMap((item, index) => {
    if (index !== Number(part)) return [item];
    if (!last) return [removeAt(item, path, only, at + 1)];
    return only === undefined || sameJson(item, only) ? [] : [item];
  });
  return { kind: 'array', items };
}

function elementIndex(length: number, path: readonly string[], at: number): number {
  const part = path[at]!;
  if (!indexPattern.test(part)) throw mismatch(path, at, 'names no element of a list');
  const index = Number(part);
  if (index > length) throw mismatch(path, at, `is beyond the end of a list of ${length}`);
  return index;
}

function mismatch(path: readonly string[], at: number, problem: string): AgentError {
  return new AgentError('AGENT_STRUCTURE_MISMATCH', {
    detail: `${path.slice(0, at + 1).join('.')} ${problem}`,
  });
}

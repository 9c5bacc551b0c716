/** A directed graph by name: name -> what must come before it. */
export type Dependencies = ReadonlyMap<string, readonly string[]>;

/**
 * One path that ends where it starts for each knot of the graph (strongly connected component), the
 * shortest of those through its first name. Knots share no name, so they are to be untied one by one.
 */
export function findCycles(graph: Dependencies): string[][] {
  return knots(graph).map((names) => shortestCycle(graph, names));
}

interface Frame {
  readonly name: string;
  next: number;
}

/** Tarjan's algorithm without recursion: a chain may be as long as a stack has resources. */
function knots(graph: Dependencies): string[][] {
  const order = new Map<string, number>();
  const low = new Map<string, number>();
  const open = new Set<string>();
  const path: string[] = [];
  const found: string[][] = [];
  const lower = (name: string, value: number) => low.set(name, Math.min(low.get(name)!, value));
  for (const start of graph.keys()) {
    if (order.has(start)) continue;
    const frames: Frame[] = [{ name: start, next: 0 }];
    while (frames.length > 0) {
      const frame = frames[frames.length - 1]!;
      const { name } = frame;
      if (!order.has(name)) {
        low.set(name, order.size);
        order.set(name, order.size);
        path.push(name);
        open.add(name);
      }
      const other = graph.get(name)?.[frame.next];
      frame.next += 1;
      if (other !== undefined) {
        if (!order.has(other)) frames.push({ name: other, next: 0 });
        else if (open.has(other)) lower(name, order.get(other)!);
        continue;
      }
      frames.pop();
      const parent = frames[frames.length - 1];
      if (parent !== undefined) lower(parent.name, low.get(name)!);
      if (low.get(name) !== order.get(name)) continue;
      const names = path.splice(path.lastIndexOf(name));
      for (const member of names) open.delete(member);
      if (names.length > 1 || graph.get(name)?.includes(name)) found.push(names);
    }
  }
  return found;
}

/** Breadth first from the first name until it is reached again. */
function shortestCycle(graph: Dependencies, names: readonly string[]): string[] {
  const members = new Set(names);
  const start = names[0]!;
  const cameFrom = new Map<string, string>();
  const waiting = [start];
  for (const name of waiting) {
    for (const other of graph.get(name) ?? []) {
      if (other === start) {
        const path = [name];
        while (path[0] !== start) path.unshift(cameFrom.get(path[0]!)!);
        return [...path, start];
      }
      if (!members.has(other) || cameFrom.has(other)) continue;
      cameFrom.set(other, name);
      waiting.push(other);
    }
  }
  return [...names, start];
}

/** Dependencies first, otherwise in the given order. The graph must have no cycle. */
export function topological(names: Iterable<string>, graph: Dependencies): string[] {
  const sorted = new Set<string>();
  for (const start of names) {
    const frames: Frame[] = [{ name: start, next: 0 }];
    while (frames.length > 0) {
      const frame = frames[frames.length - 1]!;
      const dependency = sorted.has(frame.name) ? undefined : graph.get(frame.name)?.[frame.next];
      frame.next += 1;
      if (dependency === undefined) {
        sorted.add(frame.name);
        frames.pop();
      } else if (!sorted.has(dependency)) {
        frames.push({ name: dependency, next: 0 });
      }
    }
  }
  return [...sorted];
}

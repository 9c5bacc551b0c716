/** A directed graph by name: name -> what must come before it. */
export type Dependencies = ReadonlyMap<string, readonly string[]>;

/** A path that ends where it starts, or undefined. */
export function findCycle(graph: Dependencies): string[] | undefined {
  const done = new Set<string>();
  for (const start of graph.keys()) {
    const cycle = walk(graph, start, done);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}

interface Frame {
  readonly name: string;
  next: number;
}

/** Depth first without recursion: a chain may be as long as a stack has resources. */
function walk(graph: Dependencies, start: string, done: Set<string>): string[] | undefined {
  const frames: Frame[] = [{ name: start, next: 0 }];
  const open = new Set([start]);
  while (frames.length > 0) {
    const frame = frames[frames.length - 1]!;
    const dependency = done.has(frame.name) ? undefined : graph.get(frame.name)?.[frame.next];
    frame.next += 1;
    if (dependency === undefined) {
      done.add(frame.name);
      open.delete(frame.name);
      frames.pop();
    } else if (open.has(dependency)) {
      const names = frames.map((item) => item.name);
      return [...names.slice(names.indexOf(dependency)), dependency];
    } else if (!done.has(dependency)) {
      open.add(dependency);
      frames.push({ name: dependency, next: 0 });
    }
  }
  return undefined;
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

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** V8's CPU profile (https://chromedevtools.github.io/devtools-protocol/v8/Profiler/#type-Profile). */
interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  /** Microseconds of the monotonic clock. */
  readonly startTime: number;
  readonly samples: readonly number[];
  /** Microseconds between two samples. */
  readonly timeDeltas: readonly number[];
}

interface ProfileNode {
  readonly id: number;
  readonly callFrame: {
    readonly functionName: string;
    readonly url: string;
    readonly lineNumber: number;
  };
}

/** On the monotonic clock, microseconds. */
export interface Span {
  readonly fromUs: number;
  readonly toUs: number;
}

const idle = '(idle)';
/** A thread that lets requests gather waits too (actors/server/endpoint/coalescing.ts). */
const pause = 'pause actors/server/thread-figures.ts';
const root = new URL('../../', import.meta.url).href;

export function monotonicUs(): number {
  return Number(process.hrtime.bigint() / 1000n);
}

/**
 * Samples by function, of all threads together, within the span, without those of a thread that
 * waits. They are counted, not the time between them: what passes while another program has the core
 * belongs to no function.
 */
export function functionSamples(directory: string, span: Span): Map<string, number> {
  const samples = new Map<string, number>();
  for (const name of readdirSync(directory)) {
    if (!name.endsWith('.cpuprofile')) continue;
    const profile = JSON.parse(readFileSync(join(directory, name), 'utf8')) as CpuProfile;
    addProfile(samples, profile, span);
  }
  return samples;
}

function addProfile(samples: Map<string, number>, profile: CpuProfile, span: Span): void {
  const names = new Map(profile.nodes.map((node) => [node.id, nameOf(node)]));
  let atUs = profile.startTime;
  for (const [index, id] of profile.samples.entries()) {
    atUs += Math.max(0, profile.timeDeltas[index] ?? 0);
    if (atUs < span.fromUs || atUs > span.toUs) continue;
    const name = names.get(id) ?? idle;
    if (name !== idle && name !== pause) samples.set(name, (samples.get(name) ?? 0) + 1);
  }
}

/** Without a line number, so that an edit above does not make another function of it. */
function nameOf({ callFrame: { functionName, url, lineNumber } }: ProfileNode): string {
  const file = url.startsWith(root) ? url.slice(root.length) : url;
  if (functionName === '') return `(anonymous) ${file}:${lineNumber + 1}`;
  return file === '' ? functionName : `${functionName} ${file}`;
}

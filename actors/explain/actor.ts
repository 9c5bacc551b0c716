import { createHash } from 'node:crypto';
import { closestName } from '../../agent/policy/closest.ts';
import type { GuardLayout } from '../../agent/policy/guardrails.ts';
import type { ActorKind, Turn } from '../../runtime/actor.ts';
import type { Ports } from '../../runtime/ports/ports.ts';
import { ServerError } from '../errors.ts';
import { publishQueryAddress } from '../publish/messages.ts';
import { Diagnostics } from '../publish/stack/diagnostics.ts';
import { type CompiledStack, compileStack } from '../publish/stack/stack.ts';
import { readStackFiles, type StackFiles } from '../publish/stack/stack-files.ts';
import type {
  EntryUse,
  Explained,
  ExplainMessages,
  ExplainSource,
  HostTrace,
  ModuleUsage,
} from './messages.ts';
import { searchStack } from './search.ts';
import { traceEntry } from './trace.ts';
import { stackTree } from './tree.ts';
import type { Traits } from './verdict.ts';

const mailboxLimit = 200;
const idleAfterMs = 600_000;
const filesDeadlineMs = 60_000;
/** Compiled stacks that are kept: somebody who asks once asks again. */
const keptStacks = 2;

export interface ExplainOptions {
  readonly stackDirectory: string;
  /** What the guardrails protect. */
  readonly layout: GuardLayout;
}

interface Loaded {
  readonly files: StackFiles;
  readonly stack: CompiledStack;
}

interface ExplainState {
  /** By hash of the files, the latest last. At most `keptStacks`. */
  readonly kept: Map<string, Loaded>;
}

type ExplainTurn = Turn<ExplainState>;

/** Answers questions about stacks; see messages.ts. */
export function explainKind(options: ExplainOptions): ActorKind<ExplainState, ExplainMessages> {
  return {
    name: 'explain',
    placement: 'service',
    mailboxLimit,
    idleAfterMs,
    restart: { maxRestarts: 10, withinMs: 60_000 },
    activate: () => ({ kept: new Map() }),
    handlers: {
      trace: async (turn, request) => {
        const loaded = await load(options, turn, request);
        return await trace(loaded, explained(request, loaded), request);
      },
      usage: async (turn, request) => {
        const loaded = await load(options, turn, request);
        return usage(loaded.stack, explained(request, loaded), request.module);
      },
      tree: async (turn, request) => {
        const loaded = await load(options, turn, request);
        const directories = stackTree([...loaded.files.keys()], loaded.stack.overview());
        return { ...explained(request, loaded), directories };
      },
      search: async (turn, request) => {
        const loaded = await load(options, turn, request);
        const { files, stack } = loaded;
        const found = await searchStack(files, stack, request, () => pause(turn.ports));
        const { limit } = request;
        const truncated = found.length > limit;
        return { ...explained(request, loaded), matches: found.slice(0, limit), truncated };
      },
    },
  };
}

async function load(
  options: ExplainOptions,
  turn: ExplainTurn,
  { of, directory }: ExplainSource,
): Promise<Loaded> {
  const diagnostics = new Diagnostics();
  const files = await read(options, turn, of, directory, diagnostics);
  const hash = createHash('sha256')
    .update(JSON.stringify([...files]))
    .digest('hex');
  const { kept } = turn.state;
  const known = kept.get(hash);
  kept.delete(hash);
  const stack =
    known?.stack ??
    (await compileStack(files, diagnostics, {
      layout: options.layout,
      pause: () => pause(turn.ports),
    }));
  const loaded = { files, stack };
  kept.set(hash, loaded);
  for (const oldest of kept.keys()) if (kept.size > keptStacks) kept.delete(oldest);
  return loaded;
}

async function read(
  { stackDirectory }: ExplainOptions,
  turn: ExplainTurn,
  of: ExplainSource['of'],
  directory: string | undefined,
  diagnostics: Diagnostics,
): Promise<StackFiles> {
  if (of === 'stack' || directory !== undefined) {
    return await readStackFiles(turn.ports.disk, directory ?? stackDirectory, diagnostics);
  }
  const { files } = await turn.ask(publishQueryAddress(), 'files', { of }, filesDeadlineMs);
  for (const { path, text } of files) diagnostics.addFile(path, text);
  return new Map(files.map(({ path, text }) => [path, text]));
}

function explained({ of, directory }: ExplainSource, { stack }: Loaded): Explained {
  const errors = stack.result.diagnostics.filter(({ severity }) => severity === 'error');
  const [first] = errors;
  if (first && stack.documents.length === 0 && stack.result.entries > 0) {
    const place = `${first.file}:${first.line}:${first.column}: ${first.message}`;
    throw new ServerError('EXPLAIN_BROKEN', { errors: errors.length, first: place });
  }
  const name = typeof of === 'number' ? `version ${of}` : of;
  return { source: directory === undefined ? name : 'upload', errors: errors.length };
}

async function trace(
  { stack }: Loaded,
  head: Explained,
  { hostname, traitsJson }: ExplainMessages['trace']['payload'],
): Promise<HostTrace> {
  const traits = traitsJson === undefined ? undefined : (JSON.parse(traitsJson) as Traits);
  const { entry, ...host } = stack.explainHost(hostname);
  return {
    ...head,
    ...host,
    traitsKnown: traits !== undefined,
    ...(entry === undefined ? {} : { entry: await traceEntry(entry, traits) }),
  };
}

function usage(stack: CompiledStack, head: Explained, wanted: string): ModuleUsage {
  const overview = stack.overview();
  const module = overview.modules.find(({ name }) => name === wanted);
  if (module === undefined) {
    const closest = closestName(
      wanted,
      overview.modules.map(({ name }) => name),
    );
    const hint = closest === undefined ? '' : `; did you mean ${closest}?`;
    throw new ServerError('EXPLAIN_NO_MODULE', { module: wanted, hint });
  }
  const entries = overview.entries.flatMap(({ index }): EntryUse[] => {
    const entry = stack.explain(index);
    if (entry === undefined) return [];
    const { patterns, environment, place } = entry;
    const own = { patterns, place, ...(environment === undefined ? {} : { environment }) };
    const taken = entry.modules.find(({ name }) => name === wanted);
    if (taken) return [{ ...own, reasons: taken.reasons }];
    const out = entry.excluded.find(({ name }) => name === wanted);
    return out ? [{ ...own, reasons: out.reasons, excludedBy: out.excludedBy }] : [];
  });
  return {
    ...head,
    module: wanted,
    place: module.place,
    dependsOn: module.dependsOn,
    neededBy: overview.modules
      .filter(({ dependsOn }) => dependsOn.includes(wanted))
      .map(({ name, place }) => ({ module: name, place })),
    roles: overview.roles
      .filter(({ modules }) => modules.includes(wanted))
      .map(({ name, place }) => ({ name, place })),
    entries,
  };
}

/** Lets the other actors of the thread go on. */
function pause(ports: Ports): Promise<void> {
  return new Promise((resume) => {
    ports.clock.after(0, resume);
  });
}

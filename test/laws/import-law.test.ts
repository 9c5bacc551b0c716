import t from 'tap';
import { importsOf, reachable, type Source, sources } from './sources.ts';

/** design.md section 2: who may import whom. A path prefix may import these path prefixes. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  runtime: ['runtime/'],
  agent: ['agent/'],
  actors: ['actors/', 'runtime/', 'agent/protocol/', 'agent/policy/', 'agent/errors.ts'],
  'admin/api': [
    'admin/api/',
    'admin/web/',
    'admin/login/',
    'admin/errors.ts',
    'runtime/',
    // Data, not code that decides: what editors check policy files with.
    'agent/policy/editor-schema/',
    'actors/sink/quer',
    'actors/sink/fleet-views.ts',
    'actors/envoy/states.ts',
    'actors/envoy/convergence.ts',
    // What a selector means is one thing for the API, the CLI and the database.
    'actors/selector/',
    'actors/sink/agent-versions.ts',
    'actors/server/status',
    'actors/server/thread-data.ts',
    'actors/server/log.ts',
    'actors/server/compile-cache.ts',
    'actors/server/config/config.ts',
    'actors/server/home/layout.ts',
    'actors/policy/tables.ts',
    'actors/tracing/tracer.ts',
  ],
  // An export of the audit log is the same file from the page and from vigocli.
  'admin/web': ['admin/web/', 'admin/api/', 'admin/errors.ts', 'actors/audit/export.ts'],
  'admin/cli': [
    'admin/cli/',
    'admin/login/',
    'admin/errors.ts',
    'agent/policy/editor-schema/',
    'admin/api/backend.ts',
    'admin/api/problem.ts',
    'actors/selector/selector.ts',
    'actors/envoy/states.ts',
    'actors/sink/fleet-views.ts',
    // What a release key signs, where the key is.
    'agent/protocol/release.ts',
    'agent/protocol/limits.ts',
    'agent/protocol/gen/vigo/v1/release.ts',
    'agent/protocol/crypto.ts',
    // What verifies the audit log without trusting the server.
    'actors/audit/chain.ts',
    'actors/audit/export.ts',
    'actors/audit/leaf.ts',
    'actors/audit/tree.ts',
    'agent/protocol/bytes.ts',
    'agent/protocol/crypto.ts',
    'agent/protocol/merkle.ts',
    'agent/protocol/transparency/',
  ],
  'admin/login': ['admin/login/'],
  'admin/demo': ['admin/demo/', 'admin/cli/', 'admin/errors.ts', 'admin/api/backend.ts'],
  // A record of TLS is the same on both sides, and a report names the program that it measured.
  bench: [
    'bench/',
    'agent/protocol/',
    'actors/server/endpoint/tls/alert.ts',
    'actors/server/endpoint/tls/record-keys.ts',
    'actors/server/version.ts',
  ],
};

/** Message and table definitions are the language of the server; whoever sends may read them. */
const messageFile =
  /^actors\/[\w-]+\/(messages|tables|event|event-types|status|version|comparison|view)\.ts$/;
const agentErrors = 'agent/errors.ts';

function roomOf(path: string): string | undefined {
  const [first, second] = path.split('/');
  if (first === 'admin') return `admin/${second?.replace(/\.ts$/, '')}`;
  return first;
}

function breaches(source: Source): string[] {
  const allowed = mayImport[roomOf(source.path) ?? ''];
  if (!allowed) return [];
  return importsOf(source)
    .filter(({ target }) => target !== undefined)
    .filter(({ target }) => {
      const path = target ?? '';
      if (allowed.some((prefix) => path.startsWith(prefix))) return false;
      if (source.path.startsWith('admin/') && messageFile.test(path)) return false;
      return !(source.path.startsWith('bench/') && path === agentErrors);
    })
    .map(({ target, line }) => `${source.path}:${line} imports ${target}`);
}

t.test('a room imports only the rooms that the design allows', async (t) => {
  t.same(sources().flatMap(breaches), []);
});

t.test('the agent reaches the operating system only through agent/platform', async (t) => {
  const found = sources()
    .filter(({ path }) => path.startsWith('agent/') && !path.startsWith('agent/platform/'))
    .flatMap((source) =>
      importsOf(source)
        .filter(({ target }) => target === undefined)
        .map(({ specifier, line }) => `${source.path}:${line} imports ${specifier}`),
    );
  t.same(found, []);
});

t.test('the agent needs no npm package at run time but the wire codec', async (t) => {
  const packages = sources()
    .filter(({ path }) => path.startsWith('agent/'))
    .flatMap((source) => importsOf(source).filter(({ target }) => target === undefined))
    .map(({ specifier }) => specifier)
    .filter((name) => !name.startsWith('node:') && name !== '@bufbuild/protobuf/wire');
  t.same([...new Set(packages)], []);
});

t.test('code of a fleet shard cannot reach a SQL driver', async (t) => {
  const { files, packages } = reachable('actors/server/fleet-thread.ts');
  t.ok(files.size > 1, 'the entry was found');
  for (const driver of ['better-sqlite3', 'kysely', 'node:sqlite', 'pg']) {
    t.notOk(
      [...packages].some((name) => name === driver || name.startsWith(`${driver}/`)),
      `${driver} is out of reach`,
    );
  }
  t.notOk(packages.has('yaml'), 'nor a YAML parser');
});

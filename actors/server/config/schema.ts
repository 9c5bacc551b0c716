import { Type } from 'typebox';
import { accountsSection } from './accounts-section.ts';
import { apiSection } from './api-section.ts';
import { durationExamples } from './duration.ts';
import { oidcSection } from './oidc-section.ts';
import { publishSection } from './publish-section.ts';
import { releasesSection } from './releases-section.ts';
import { tracingSection } from './tracing-section.ts';

/**
 * The one description of server.yaml: validation, defaults, the documented sample and the
 * reference page all come from it. `expected` completes the sentence "expected ...".
 */
interface KeyOptions {
  readonly description: string;
  readonly expected: string;
}

interface DurationOptions {
  readonly description: string;
  readonly default: string;
  /** Least value, in milliseconds. */
  readonly leastMs: number;
  /** Greatest value, in milliseconds; absent = any. */
  readonly mostMs?: number;
  /** Whether "0" is allowed although it is less. */
  readonly zero?: boolean;
  readonly expected: string;
}

const duration = (options: DurationOptions) => Type.String({ ...options, duration: true });

const whole = (options: KeyOptions & { default: number; minimum: number; maximum: number }) =>
  Type.Integer({ ...options });

const listen = (options: { description: string; default: string }) =>
  Type.String({
    ...options,
    pattern: '^(\\[[0-9a-fA-F:.]+\\]|[^\\[\\]:\\s]*):\\d{1,5}$',
    expected: 'host:port, or :port for every address',
  });

const section = { additionalProperties: false } as const;

const server = Type.Object(
  {
    grpc_listen: listen({ description: 'Where agents connect (gRPC, mTLS).', default: ':1530' }),
    api_listen: listen({
      description: 'Where people and vigocli connect (HTTPS).',
      default: ':8443',
    }),
    hostname: Type.String({
      description: 'The name that agents are told to dial. Empty: this host name.',
      default: '',
      maxLength: 253,
      pattern: '^[A-Za-z0-9._-]*$',
      expected: 'a host name',
    }),
    tls_sans: Type.Array(Type.String({ maxLength: 253, pattern: '^[A-Za-z0-9.:_*-]+$' }), {
      description:
        'More names and addresses for the server certificate. localhost, the host name and the\n' +
        'addresses of all interfaces are always in it.',
      default: [],
      maxItems: 100,
      expected: 'a list of at most 100 host names and IP addresses',
    }),
    drain_timeout: duration({
      description: 'How long an orderly stop waits for work in progress.',
      default: '10s',
      leastMs: 100,
      expected: `${durationExamples}, at least 100ms`,
    }),
  },
  { ...section, description: 'How the server is reached.' },
);

const checkin = Type.Object(
  {
    interval: duration({
      description: 'How often each agent checks in and enforces its policy.',
      default: '5m',
      leastMs: 1000,
      expected: `${durationExamples}, at least 1s`,
    }),
    bundle_max_age: duration({
      description:
        'How long an agent that cannot reach the server goes on enforcing. 0 = for ever.',
      default: '24h',
      leastMs: 60_000,
      zero: true,
      expected: `${durationExamples}, at least 1m, or 0 for ever`,
    }),
    clock_skew_tolerance: duration({
      description: "How far an agent's clock may differ from the server's.",
      default: '5m',
      leastMs: 1000,
      expected: `${durationExamples}, at least 1s`,
    }),
  },
  { ...section, description: 'The rhythm of the fleet.' },
);

const database = Type.Object(
  {
    driver: Type.Union([Type.Literal('sqlite')], {
      description: 'The history store. sqlite is built in.',
      default: 'sqlite',
      expected: 'sqlite',
    }),
    dsn: Type.String({
      description: 'The database file, relative to the home. Empty: db/vigo.db.',
      default: '',
      maxLength: 4096,
      expected: 'a path',
    }),
    runs_per_envoy: whole({
      description: 'Runs kept per envoy; the oldest go first.',
      default: 200,
      minimum: 1,
      maximum: 1_000_000,
      expected: 'a whole number from 1 to 1000000',
    }),
  },
  { ...section, description: 'What people query: runs, resources, audit.' },
);

const enrollment = Type.Object(
  {
    certificate_validity: duration({
      description: "Lifetime of an envoy's certificate. Revocation works at any time.",
      default: '3650d',
      leastMs: 3_600_000,
      expected: `${durationExamples}, at least 1h`,
    }),
    failures_per_minute: whole({
      description: 'Failed registrations that one address may make in a minute.',
      default: 10,
      minimum: 1,
      maximum: 10_000,
      expected: 'a whole number from 1 to 10000',
    }),
    bcrypt_cost: whole({
      description: 'Work factor of token hashes; one more doubles the time of a registration.',
      default: 10,
      minimum: 10,
      maximum: 15,
      expected: 'a whole number from 10 to 15',
    }),
  },
  { ...section, description: 'Who may become an envoy.' },
);

const runtime = Type.Object(
  {
    shards: whole({
      description: 'Threads that serve agents. 0 = one per core.',
      default: 0,
      minimum: 0,
      maximum: 128,
      expected: 'a whole number from 0 to 128',
    }),
    coalesce: duration({
      description:
        'A shard with much to do rests up to this long between two looks at its connections, so that ' +
        'check-ins gather and cost less. 0 = never: the quickest answers, the most work.',
      default: '10ms',
      leastMs: 1,
      mostMs: 100,
      zero: true,
      expected: 'a duration from 1ms to 100ms, or 0 for never',
    }),
    tls_records: Type.Union([Type.Literal('vigo'), Type.Literal('openssl')], {
      description:
        "Who seals and opens the records of agents' connections after the handshake, which is " +
        "OpenSSL's. vigo: ours, with ChaCha20-Poly1305 of libsodium, a quarter of the memory. openssl: all of it.",
      default: 'vigo',
      expected: 'vigo or openssl',
    }),
    service_threads: whole({
      description: 'Threads for publishing and other heavy work beside the fleet.',
      default: 1,
      minimum: 1,
      maximum: 16,
      expected: 'a whole number from 1 to 16',
    }),
  },
  { ...section, description: 'Threads.' },
);

const limits = Type.Object(
  {
    envoys: whole({
      description: 'Most envoys that may be enrolled.',
      default: 1_000_000,
      minimum: 1,
      maximum: 1_000_000,
      expected: 'a whole number from 1 to 1000000',
    }),
    connections_per_shard: whole({
      description: 'Most agent connections per shard; one more is told to come back later.',
      default: 20_000,
      minimum: 1,
      maximum: 200_000,
      expected: 'a whole number from 1 to 200000',
    }),
    handshakes_per_second: whole({
      description: 'New agent connections that one shard admits per second.',
      default: 300,
      minimum: 1,
      maximum: 100_000,
      expected: 'a whole number from 1 to 100000',
    }),
    report_bytes: whole({
      description: 'Largest report of one run.',
      default: 1_048_576,
      minimum: 65_536,
      maximum: 16_777_216,
      expected: 'a whole number of bytes from 65536 to 16777216',
    }),
  },
  { ...section, description: 'What is refused, with a code, instead of served badly.' },
);

const text = (description: string, value = '') =>
  Type.String({ description, default: value, maxLength: 4096, expected: 'text' });

const name = (description: string, value: string) =>
  Type.String({
    description,
    default: value,
    maxLength: 200,
    pattern: '^[A-Za-z0-9_][A-Za-z0-9_./-]*$',
    expected: 'a name of letters, digits, "_", "-", "." and "/"',
  });

const secrets = Type.Object(
  {
    backend: Type.Union([Type.Literal('local'), Type.Literal('openbao')], {
      description: 'Where secrets are kept: local (encrypted files) or openbao (also Vault).',
      default: 'local',
      expected: 'local or openbao',
    }),
    key_file: text('local: the master key, mode 0600. Empty: keys/secrets.key in the home.'),
    secrets_dir: text('local: the encrypted files. Empty: secrets in the home.'),
    url: text('openbao: https://host:8200. Plain http only to this machine.'),
    mount: name('openbao: where the KV engine, version 2, is mounted.', 'secret'),
    field: name('openbao: the field with the value, where secret:path#field names none.', 'value'),
    namespace: text('openbao: the namespace, if any.'),
    token_file: text('openbao: file with the token, mode 0600.'),
    role_id: text('openbao: role id of an AppRole, instead of token_file.'),
    secret_id_file: text('openbao: file with the secret id of the AppRole, mode 0600.'),
    approle_mount: name('openbao: where the AppRole method is mounted.', 'approle'),
    ca_file: text(
      'openbao: PEM file of the authority of its certificate. Empty: the system knows.',
    ),
    timeout: duration({
      description: 'openbao: how long one request may take; it is tried three times.',
      default: '2s',
      leastMs: 100,
      expected: `${durationExamples}, at least 100ms`,
    }),
  },
  { ...section, description: 'Where secret:<path> of the policy comes from.' },
);

const log = Type.Object(
  {
    level: Type.Union(
      (['trace', 'debug', 'info', 'warn', 'error'] as const).map((name) => Type.Literal(name)),
      {
        description: 'Least severity that is written.',
        default: 'info',
        expected: 'trace, debug, info, warn or error',
      },
    ),
    format: Type.Union(
      (['auto', 'json', 'human'] as const).map((name) => Type.Literal(name)),
      {
        description: 'auto: human on a terminal, JSON lines elsewhere.',
        default: 'auto',
        expected: 'auto, json or human',
      },
    ),
  },
  { ...section, description: 'Logs go to the standard error stream.' },
);

export const configSchema = Type.Object(
  {
    server,
    checkin,
    database,
    enrollment,
    accounts: accountsSection,
    api: apiSection,
    oidc: oidcSection,
    publish: publishSection,
    releases: releasesSection,
    secrets,
    runtime,
    limits,
    log,
    tracing: tracingSection,
  },
  section,
);

/** server.yaml after defaults were filled in, before durations became numbers. */
export type RawConfig = Type.Static<typeof configSchema>;

/** What the loader and the sample need to know of one key. */
export interface ConfigKey {
  readonly section: string;
  readonly name: string;
  /** "checkin.interval" */
  readonly path: string;
  readonly description: string;
  readonly expected: string;
  readonly default: unknown;
  /** Present for durations. */
  readonly leastMs: number | undefined;
  readonly mostMs: number;
  readonly zero: boolean;
  readonly type: 'string' | 'integer' | 'array';
}

interface SchemaNode {
  readonly type?: string;
  readonly description?: string;
  readonly expected?: string;
  readonly default?: unknown;
  readonly leastMs?: number;
  readonly mostMs?: number;
  readonly zero?: boolean;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
}

/** Section name -> what it is about. */
export function configSections(): ReadonlyMap<string, string> {
  const root = configSchema as unknown as SchemaNode;
  return new Map(
    Object.entries(root.properties ?? {}).map(([name, node]) => [name, node.description ?? '']),
  );
}

/** Every key in the order of the sample. */
export function configKeys(): ConfigKey[] {
  const root = configSchema as unknown as SchemaNode;
  return Object.entries(root.properties ?? {}).flatMap(([sectionName, sectionNode]) =>
    Object.entries(sectionNode.properties ?? {}).map(([name, node]) => ({
      section: sectionName,
      name,
      path: `${sectionName}.${name}`,
      description: node.description ?? '',
      expected: node.expected ?? '',
      default: node.default,
      leastMs: node.leastMs,
      mostMs: node.mostMs ?? Number.POSITIVE_INFINITY,
      zero: node.zero ?? false,
      type: node.type === 'integer' || node.type === 'array' ? node.type : 'string',
    })),
  );
}

import { join } from 'node:path';
import type { AccountSettings } from '../../accounts/context.ts';
import { ServerError } from '../../errors.ts';
import type { PublishSettings } from '../../publish/context.ts';
import { parseFreezeWindow } from '../../publish/freeze.ts';
import { type ApiSettings, apiFromRaw } from './api-section.ts';
import { parseDuration } from './duration.ts';
import { homePath } from './home-path.ts';
import { type OidcSettings, oidcFromRaw } from './oidc-section.ts';
import type { RawConfig } from './schema.ts';
import { type TracingSettings, tracingFromRaw } from './tracing-section.ts';

/** The server's settings as the program uses them: durations in milliseconds, nothing optional. */
export interface ServerConfig {
  readonly server: {
    readonly grpcListen: ListenAddress;
    readonly apiListen: ListenAddress;
    /** Empty = the machine's own name. */
    readonly hostname: string;
    readonly tlsSans: readonly string[];
    readonly drainTimeoutMs: number;
  };
  readonly checkin: {
    readonly intervalMs: number;
    /** 0 = for ever. */
    readonly bundleMaxAgeMs: number;
    readonly clockSkewToleranceMs: number;
  };
  readonly database: {
    readonly driver: 'sqlite';
    /** Absolute path. */
    readonly file: string;
    readonly runsPerEnvoy: number;
  };
  readonly enrollment: {
    readonly certificateValidityMs: number;
    readonly failuresPerMinute: number;
    readonly bcryptCost: number;
  };
  readonly accounts: AccountSettings;
  readonly api: ApiSettings;
  readonly oidc: OidcSettings;
  readonly publish: PublishSettings;
  readonly releases: {
    /** Ed25519, 32 bytes each; none = this server signs releases itself. */
    readonly publicKeys: readonly Uint8Array[];
    /** Of one shard. */
    readonly downloads: number;
    readonly bytesPerSecond: number;
  };
  readonly secrets: SecretsConfig;
  readonly runtime: {
    /** 0 = one per core. */
    readonly shards: number;
    /** The longest rest between two looks at the connections; 0 = none. */
    readonly coalesceMs: number;
    /** Who seals the records of agents' connections after the handshake. */
    readonly tlsRecords: 'vigo' | 'openssl';
    readonly serviceThreads: number;
  };
  readonly limits: {
    readonly envoys: number;
    readonly connectionsPerShard: number;
    readonly handshakesPerSecond: number;
    readonly reportBytes: number;
  };
  readonly log: {
    readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error';
    readonly format: 'auto' | 'json' | 'human';
  };
  readonly tracing: TracingSettings;
}

/** Paths are absolute; '' = not given. */
export interface SecretsConfig {
  readonly backend: 'local' | 'openbao';
  readonly keyFile: string;
  readonly secretsDirectory: string;
  readonly url: string;
  readonly mount: string;
  readonly field: string;
  readonly namespace: string;
  readonly tokenFile: string;
  readonly roleId: string;
  readonly secretIdFile: string;
  readonly approleMount: string;
  readonly caFile: string;
  readonly timeoutMs: number;
}

export interface ListenAddress {
  /** '' = every address. */
  readonly host: string;
  readonly port: number;
}

/** `raw` has passed the schema. `home` is the absolute path that relative paths start from. */
export function configFromRaw(raw: RawConfig, home: string): ServerConfig {
  const { server, checkin, database, enrollment, secrets, runtime, limits, log } = raw;
  const dsn = database.dsn === '' ? join('db', 'vigo.db') : database.dsn;
  return {
    server: {
      grpcListen: parseListen(server.grpc_listen),
      apiListen: parseListen(server.api_listen),
      hostname: server.hostname,
      tlsSans: server.tls_sans,
      drainTimeoutMs: milliseconds(server.drain_timeout),
    },
    checkin: {
      intervalMs: milliseconds(checkin.interval),
      bundleMaxAgeMs: milliseconds(checkin.bundle_max_age),
      clockSkewToleranceMs: milliseconds(checkin.clock_skew_tolerance),
    },
    database: {
      driver: database.driver,
      file: homePath(home, dsn),
      runsPerEnvoy: database.runs_per_envoy,
    },
    enrollment: {
      certificateValidityMs: milliseconds(enrollment.certificate_validity),
      failuresPerMinute: enrollment.failures_per_minute,
      bcryptCost: enrollment.bcrypt_cost,
    },
    accounts: {
      sessionIdleMs: milliseconds(raw.accounts.session_idle),
      sessionLifetimeMs: milliseconds(raw.accounts.session_lifetime),
      keySecondFactor: raw.accounts.key_second_factor,
    },
    api: apiFromRaw(raw.api),
    oidc: oidcFromRaw(raw.oidc, home),
    publish: publishFromRaw(raw.publish),
    releases: {
      publicKeys: raw.releases.public_keys.map((key) => new Uint8Array(Buffer.from(key, 'hex'))),
      downloads: raw.releases.downloads,
      bytesPerSecond: raw.releases.bytes_per_second,
    },
    secrets: secretsFromRaw(secrets, home),
    runtime: {
      shards: runtime.shards,
      coalesceMs: milliseconds(runtime.coalesce),
      tlsRecords: runtime.tls_records,
      serviceThreads: runtime.service_threads,
    },
    limits: {
      envoys: limits.envoys,
      connectionsPerShard: limits.connections_per_shard,
      handshakesPerSecond: limits.handshakes_per_second,
      reportBytes: limits.report_bytes,
    },
    log: { level: log.level, format: log.format },
    tracing: tracingFromRaw(raw.tracing, home),
  };
}

function secretsFromRaw(secrets: RawConfig['secrets'], home: string): SecretsConfig {
  const path = (text: string) => homePath(home, text);
  return {
    backend: secrets.backend,
    keyFile: path(secrets.key_file) || join(home, 'keys', 'secrets.key'),
    secretsDirectory: path(secrets.secrets_dir) || join(home, 'secrets'),
    url: secrets.url.replace(/\/+$/, ''),
    mount: secrets.mount,
    field: secrets.field,
    namespace: secrets.namespace,
    tokenFile: path(secrets.token_file),
    roleId: secrets.role_id,
    secretIdFile: path(secrets.secret_id_file),
    approleMount: secrets.approle_mount,
    caFile: path(secrets.ca_file),
    timeoutMs: milliseconds(secrets.timeout),
  };
}

function publishFromRaw(publish: RawConfig['publish']): PublishSettings {
  return {
    approvalRequired: publish.approval === 'required',
    candidateExpiryMs: milliseconds(publish.candidate_expiry),
    freezeWindows: publish.freeze_windows.flatMap((text) => parseFreezeWindow(text) ?? []),
    rollout: {
      stages: publish.stages,
      observeMs: milliseconds(publish.observe),
      threshold: publish.threshold / 100,
      leastConverged: publish.least_converged / 100,
      onFailure: publish.on_failure,
    },
  };
}

/** "0.0.0.0:1530", "[::1]:1530" or ":1530". The schema has checked the form, not the port. */
export function parseListen(text: string): ListenAddress {
  const colon = text.lastIndexOf(':');
  const host = text.slice(0, colon).replace(/^\[|\]$/g, '');
  return { host, port: Number(text.slice(colon + 1)) };
}

function milliseconds(text: string): number {
  const value = parseDuration(text);
  if (value !== undefined) return value;
  throw new ServerError('CONFIG_SYNTAX', {
    file: 'server.yaml',
    line: 0,
    column: 0,
    reason: `${text} is not a duration`,
  });
}

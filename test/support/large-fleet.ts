import Database from 'better-sqlite3';
import { stateNumber } from '../../actors/envoy/states.ts';
import { osOf, traitLeaves } from '../../actors/sink/trait-leaves.ts';
import { SinkWriter } from '../../actors/sink/writer.ts';

/**
 * A fleet in a database, the same for the same number: hosts of four sites and three roles, most converged
 * and some in each other state, with traits that are found by value, runs with differences, changes of state,
 * a week of figures. Takes about ten seconds for 100,000. The state directory is made by the server
 * when it starts. No envoy of it ever checks in, so start the server with an interval whose three
 * times are longer than the test, or all of them will be offline.
 */
export interface LargeFleet {
  readonly count: number;
  /** "web-000042.ams.example" */
  hostname(number: number): string;
  envoyId(number: number): string;
  /** Only this envoy has it: the value of the trait `dmi.serial`. */
  serial(number: number): string;
}

const sites = ['ams', 'fra', 'nyc', 'sin'];
const roles = ['web', 'db', 'app'];
const systems = [
  { family: 'debian', distro: 'debian', version: '12' },
  { family: 'debian', distro: 'debian', version: '13' },
  { family: 'debian', distro: 'ubuntu', version: '24.04' },
  { family: 'rhel', distro: 'rocky', version: '9.4' },
  { family: 'alpine', distro: 'alpine', version: '3.20' },
];
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const transactionRows = 20_000;

/** Of ten thousand envoys, so many in each state; the rest is converged. */
const shares = [
  ['relapsed', 200],
  ['diverged', 60],
  ['degraded', 150],
  ['failed', 90],
  ['offline', 120],
  ['no data', 40],
] as const;

type State = (typeof shares)[number][0] | 'converged';

/**
 * `file`: of a database that may not exist yet. `nowMs`: what "now" is for everything in it. `envoyId`: where
 * it matters that UUIDs are spread, as real ones are.
 */
export async function makeLargeFleet(
  file: string,
  count: number,
  nowMs = Date.now(),
  envoyId = idInOrder,
): Promise<LargeFleet> {
  const writer = new SinkWriter({ file, runsPerEnvoy: 100 });
  await writer.open();
  writer.close();
  const database = new Database(file);
  // Nothing of it must survive a power cut.
  database.pragma('synchronous = OFF');
  const fleet = describeFleet(count, envoyId);
  insertEnvoys(database, fleet, nowMs);
  insertTraits(database, fleet, nowMs);
  insertRuns(database, fleet, nowMs);
  insertHistory(database, fleet, nowMs);
  database.pragma('wal_checkpoint(TRUNCATE)');
  database.close();
  return fleet;
}

function idInOrder(number: number): string {
  return `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
}

function describeFleet(count: number, envoyId: (number: number) => string): LargeFleet {
  const six = (number: number) => String(number).padStart(6, '0');
  return {
    count,
    hostname: (number) =>
      `${roles[number % 3]}-${six(number)}.${sites[Math.floor(number / 3) % 4]}.example`,
    envoyId,
    serial: (number) => `SN-${six(number)}`,
  };
}

/** Spread over all names, not in blocks. */
function stateOf(number: number): State {
  let place = (number * 7_919) % 10_000;
  for (const [state, share] of shares) {
    if (place < share) return state;
    place -= share;
  }
  return 'converged';
}

function everybody(fleet: LargeFleet): number[] {
  return Array.from({ length: fleet.count }, (_, at) => at + 1);
}

/** Many rows in few transactions. */
function insertMany<Row>(
  database: Database.Database,
  rows: readonly Row[],
  insert: (row: Row) => void,
): void {
  for (let at = 0; at < rows.length; at += transactionRows) {
    const some = rows.slice(at, at + transactionRows);
    database.transaction(() => some.forEach(insert))();
  }
}

function insertEnvoys(database: Database.Database, fleet: LargeFleet, nowMs: number): void {
  const envoy = database.prepare(
    `insert into envoys (envoy_id, hostname, public_key, agent_version, certificate_serial,
       enrolled_at_ms, last_seen_ms, state, state_since_ms, policy_version,
       settled_report_sequence, os)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?)`,
  );
  const transition = database.prepare(
    `insert into envoy_transitions (envoy_id, at_ms, from_state, to_state, after_ms, drift_runs)
     values (?, ?, ?, ?, ?, ?)`,
  );
  insertMany(database, everybody(fleet), (number) => {
    const state = stateOf(number);
    const seen = state === 'no data' ? null : nowMs - (number % 300) * 1_000;
    const since = state === 'no data' ? null : nowMs - (number % 5_000) * minuteMs;
    const id = fleet.envoyId(number);
    const key = Buffer.alloc(32);
    key.writeUInt32LE(number, 0);
    envoy.run(
      ...[id, fleet.hostname(number), key, number % 9 === 0 ? '0.1.9' : '0.2.0', String(number)],
      ...[nowMs - 30 * 24 * hourMs - number * 1_000, seen, stateNumber(state), since],
      ...[state === 'no data' ? null : number % 50 === 0 ? 41 : 42, osOf(traitsOf(fleet, number))],
    );
    if (since === null) return;
    const [to, from] = [stateNumber(state), state === 'converged' ? 'no data' : 'converged'];
    const drifts = state === 'diverged' ? 3 : state === 'relapsed' ? 2 : 0;
    transition.run(id, since, stateNumber(from as State), to, hourMs, drifts);
  });
}

/** A document like an agent's, without the long lists of packages and file systems. */
function traitsOf(fleet: LargeFleet, number: number): object {
  const os = systems[number % systems.length];
  const octets = [10, (number >> 16) & 255, (number >> 8) & 255, number & 255].join('.');
  return {
    os: { ...os, arch: number % 11 === 0 ? 'arm64' : 'amd64', kernel: `6.${number % 13}.0` },
    network: { hostname: fleet.hostname(number).split('.')[0], ip_addresses: [octets] },
    hardware: { cpu_count: 2 ** (number % 6), memory_mb: 1024 * 2 ** (number % 8) },
    dmi: { product_name: `Model ${number % 40}`, serial: fleet.serial(number) },
    virtual: { is_virtual: number % 4 !== 0, is_container: false },
    cloud: { region: `${sites[Math.floor(number / 3) % 4]}-1` },
    packages: {
      openssl: `3.0.${number % 17}-1`,
      bash: `5.2.${number % 4}`,
      systemd: `25${number % 8}`,
      curl: `8.${number % 12}.0`,
      'ca-certificates': `2024${number % 9}`,
    },
  };
}

function insertTraits(database: Database.Database, fleet: LargeFleet, nowMs: number): void {
  const traits = database.prepare('insert into traits values (?, ?, ?, ?)');
  const name = database.prepare('insert into envoy_numbers (number, envoy_id) values (?, ?)');
  const postings = new Map<string, { path: string; value: string; envoys: number[] }>();
  insertMany(database, everybody(fleet), (number) => {
    const document = traitsOf(fleet, number);
    const hash = number.toString(16).padStart(32, '0');
    traits.run(fleet.envoyId(number), hash, JSON.stringify(document), nowMs - hourMs);
    name.run(number, fleet.envoyId(number));
    for (const [path, value] of traitLeaves(document)) {
      const key = `${path}\u0000${value}`;
      const known = postings.get(key);
      if (known) known.envoys.push(number);
      else postings.set(key, { path, value, envoys: [number] });
    }
  });
  const term = database.prepare('insert into trait_terms (term, path, value) values (?, ?, ?)');
  const posting = database.prepare('insert into trait_postings (term, envoy) values (?, ?)');
  let terms = 0;
  insertMany(database, [...postings.values()], ({ path, value, envoys }) => {
    terms += 1;
    term.run(terms, path, value);
    for (const envoy of envoys) posting.run(terms, envoy);
  });
}

/** Envoys in trouble have a run that shows it. */
function insertRuns(database: Database.Database, fleet: LargeFleet, nowMs: number): void {
  const run = database.prepare(
    `insert into runs (run_id, envoy_id, report_sequence, bundle_root, incidents, policy_version,
       started_at_ms, duration_ms, received_at_ms, state, dry_run, policy_changed, offline, total,
       unchanged, created, updated, deleted, skipped, blocked, failed)
     values (?, ?, 1, ?, '[]', 42, ?, 840, ?, ?, 0, 0, 0, 12, 10, 0, ?, 0, 0, ?, ?)`,
  );
  const result = database.prepare(
    `insert into resource_results (run_key, position, resource_id, type, action, reason, diff,
       error_code, duration_ms)
     values (?, ?, ?, ?, ?, ?, ?, ?, 12)`,
  );
  const diff = '--- /etc/motd\n+++ /etc/motd\n@@ -1 +1 @@\n-welcome\n+hello\n';
  const troubled = everybody(fleet).filter(
    (number) => !['converged', 'no data', 'offline'].includes(stateOf(number)),
  );
  insertMany(database, troubled, (number) => {
    const state = stateOf(number);
    const [failed, blocked] = [Number(state === 'failed'), Number(state === 'degraded')];
    const updated = 2 - failed - blocked;
    const startedMs = nowMs - (number % 5_000) * minuteMs;
    const id = `00000000-0000-4001-8000-${String(number).padStart(12, '0')}`;
    const outcome = failed ? 4 : blocked ? 3 : 2;
    const { lastInsertRowid: key } = run.run(
      ...[id, fleet.envoyId(number), '00'.repeat(32), startedMs, startedMs + 900, outcome],
      ...[updated, blocked, failed],
    );
    result.run(key, 0, 'base/motd', 'file', 2, 'content differs', diff, '');
    const code = failed ? 'AGENT_COMMAND_FAILED' : blocked ? 'AGENT_DISK_FULL' : '';
    const action = failed ? 6 : blocked ? 5 : 2;
    result.run(key, 1, 'web/nginx', 'service', action, 'it is not running', '', code);
  });
}

function insertHistory(database: Database.Database, fleet: LargeFleet, nowMs: number): void {
  const step = database.prepare('insert into fleet_history values (?, ?, ?, ?, ?, ?, ?, ?)');
  const add = (stepMs: number, steps: number) => {
    for (let back = steps; back > 0; back -= 1) {
      const atMs = nowMs - (nowMs % stepMs) - back * stepMs;
      const seconds = stepMs / 1_000;
      const part = (share: number) => Math.round((fleet.count * share) / 10_000);
      const states = [9_340 - (back % 40), 200 + (back % 40), 60, 150, 90, 120, 40].map(part);
      const checkIns = Math.round((fleet.count / 300) * seconds);
      step.run(
        ...[stepMs, atMs, JSON.stringify(states), stepMs, checkIns, Math.round(checkIns / 20)],
        ...[380 + (back % 60), 1_900 + 20 * (back % 45)],
      );
    }
  };
  database.transaction(() => {
    add(minuteMs, 24 * 60);
    add(hourMs, 7 * 24);
    const version = database.prepare(
      `insert into policy_versions (version, published_at_ms, published_by, message, stack_hash,
         bundle_roots, changed_envoys) values (?, ?, 'admin:ann', ?, ?, '[]', ?)`,
    );
    for (const number of [40, 41, 42]) {
      const atMs = nowMs - (43 - number) * 5 * hourMs;
      version.run(number, atMs, `change ${number}`, String(number).repeat(32), fleet.count);
    }
    const dayMs = 24 * hourMs;
    database
      .prepare('insert into fleet_days values (?, ?, ?, ?, ?, ?)')
      .run(nowMs - (nowMs % dayMs), 5_200, 4_100, 90, 9_000, 640);
  })();
}

/**
 * A fault for the regression guard to find, loaded by every thread of a server before its own code:
 * 100 µs and an SQL statement for each signed request.
 */
import { countSqlStatement } from '../../../actors/sink/statement-counter.ts';
import { RequestVerifier } from '../../../agent/protocol/request.ts';

const { default: Database } = await import('better-sqlite3');
const { verify } = RequestVerifier.prototype;
const database = new Database(':memory:');
const plantedMs = 0.1;
const trials = 500;
const trialRounds = 20_000;

function plantedWork(rounds: number): number {
  let value = 1;
  for (let round = 0; round < rounds; round += 1) value = (value * 48_271) % 2_147_483_647;
  return value;
}

/** Work, not waiting: another program that has the core must not do it for us. */
function roundsOf(ms: number): number {
  const times = Array.from({ length: trials }, () => {
    const startedMs = performance.now();
    plantedWork(trialRounds);
    return performance.now() - startedMs;
  });
  return Math.ceil((trialRounds * ms) / Math.min(...times));
}

const plantedRounds = roundsOf(plantedMs);

function plantedSqlStatement(): void {
  countSqlStatement();
  database.prepare('select 1').get();
}

RequestVerifier.prototype.verify = function plantedVerify(...given) {
  plantedWork(plantedRounds);
  plantedSqlStatement();
  return verify.apply(this, given);
};

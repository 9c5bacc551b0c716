/**
 * fast-check with a seed that the caller knows. The suites run with one fixed seed, so that a
 * commit that passed once passes again; `VIGO_TEST_SEED=random npm test` searches for new cases, and
 * a failure prints the seed that repeats it (`VIGO_TEST_SEED=<seed>`).
 */
import fc from 'fast-check';

const fixedSeed = 20_261_122;
const wanted = process.env.VIGO_TEST_SEED;
if (wanted !== 'random') fc.configureGlobal({ seed: Number(wanted ?? fixedSeed) });

export { fc };

import { join } from 'node:path';

const project = new URL('../..', import.meta.url).pathname;
const compiled = process.env.VIGO_TEST_COMPILED === '1';

type Program = 'actors/server/main' | 'admin/cli/main' | 'agent/main';

/**
 * The file that starts a program, below `root`. `npm test` compiles the programs once and runs them
 * so (they start two to three times as fast); a test file run alone uses the sources as they are.
 */
export function programFile(program: Program, root: string = project): string {
  return compiled ? join(root, 'dist', `${program}.js`) : join(root, `${program}.ts`);
}

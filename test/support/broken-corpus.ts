import type { Diagnostic } from '../../actors/publish/messages.ts';
import { Diagnostics } from '../../actors/publish/stack/diagnostics.ts';
import { compileStack } from '../../actors/publish/stack/stack.ts';
import { readStackFiles } from '../../actors/publish/stack/stack-files.ts';
import { createSecretCheck } from '../../actors/secrets/check-stack.ts';
import type { SecretProvider } from '../../actors/secrets/provider.ts';
import { nodeClock } from '../../runtime/ports/node-clock.ts';
import { nodeDisk } from '../../runtime/ports/node-disk.ts';

/** Stacks with a mistake each: test/corpus/broken/<code>-<what>/stack. */
export const brokenCorpus = new URL('../corpus/broken/', import.meta.url);

/** Stands for the network: nobody is there. */
const deadNetwork = {
  probe: { ask: async () => ({ alive: false, reason: 'no such host' }) as const },
  clock: nodeClock(),
};

const nothing = () => Promise.reject(new Error('a check only asks what there is'));
/** Stands for a secret store: it has whatever it is asked for, but one. */
const secretsBut = (missing: string): SecretProvider => ({
  backend: 'test',
  exists: async (path) => path !== missing,
  read: nothing,
  write: nothing,
  list: nothing,
  initialise: nothing,
  rekey: nothing,
});

/** What the validator says of a stack, with a dead network, and all secrets but "no/such/secret". */
export async function validateDirectory(directory: string): Promise<readonly Diagnostic[]> {
  const diagnostics = new Diagnostics();
  const files = await readStackFiles(nodeDisk(), directory, diagnostics);
  const checkSecrets = createSecretCheck(secretsBut('no/such/secret'), nodeClock());
  const { result } = await compileStack(files, diagnostics, {
    urls: deadNetwork,
    checks: [(_, found) => checkSecrets(files, found)],
  });
  return result.diagnostics;
}

import { nodePorts } from '../../runtime/ports/node-ports.ts';
import { openLmdbStore } from '../../runtime/recovery.ts';
import { joinSystem, type ThreadBootstrap } from '../../runtime/thread.ts';
import { echo, echoKinds } from './engine-kinds.ts';
import { askMany, tellMany } from './engine-load.ts';

/** A service host with an echo actor; drives load against the other host's when told to. */
export async function host(bootstrap: ThreadBootstrap): Promise<void> {
  const ports = nodePorts();
  const { store } = await openLmdbStore({
    directory: `${bootstrap.data as string}/${bootstrap.thread}`,
    ports,
  });
  const { system, stopped } = await joinSystem(
    {
      kinds: echoKinds,
      store,
      onControl: (name, body) => {
        const { count } = body as { count: number };
        if (name === 'asks') return askMany(system, echo('echo-b'), count);
        return tellMany(system, echo('echo-b'), count);
      },
    },
    bootstrap,
  );
  await stopped;
}

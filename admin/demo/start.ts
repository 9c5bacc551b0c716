/**
 * `npm start`: a server and one agent on this machine, confined to ./demo, keeping a sample stack's
 * files in their declared state until Ctrl-C.
 */
import { styleText } from 'node:util';
import { Demo } from './demo.ts';
import { demoLayout } from './layout.ts';
import { Screen } from './screen.ts';

const screen = new Screen(process.stdout);
const demo = new Demo(demoLayout(process.cwd()), screen);
const stopped = new AbortController();

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    // A second signal means "now": the children still get their SIGTERM from stop().
    if (stopped.signal.aborted) process.exit(130);
    stopped.abort();
  });
}

try {
  await demo.start(stopped.signal);
  await demo.watch(stopped.signal);
} catch (error) {
  if (!stopped.signal.aborted) {
    const message = error instanceof Error ? error.message : String(error);
    screen.line(`\n${styleText('red', 'The demo could not go on.')} ${message.trim()}`);
    for (const log of [demo.layout.serverLog, demo.layout.agentLog]) screen.tail(log);
    process.exitCode = 1;
  }
} finally {
  await demo.stop();
}

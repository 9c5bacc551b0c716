import { nodePorts } from '../../../runtime/ports/node-ports.ts';
import { machineEnvironment } from '../home/environment.ts';
import { makeDirectory } from '../home/files.ts';
import { openHome } from '../home/home.ts';
import { homeLayout } from '../home/layout.ts';
import { lockHome } from '../home/lock.ts';

/** What was made, and what to do next, a line each. */
export async function initHome(home: string): Promise<string[]> {
  const ports = nodePorts();
  const layout = homeLayout(home);
  await makeDirectory(layout.root);
  const lock = lockHome(layout, process.pid);
  try {
    const environment = machineEnvironment(ports.clock, ports.random);
    const { made, certificateAuthority } = await openHome({ home, create: true }, environment);
    return [
      ...(made.length === 0 ? [`the server home ${layout.root} is complete`] : made),
      `CA fingerprint (SHA-256): ${certificateAuthority.fingerprint}`,
      `settings: ${layout.configFile}`,
      `next: vigosrv start --home ${layout.root}`,
    ];
  } finally {
    lock.release();
  }
}

export async function init({ home }: { readonly home: string }): Promise<void> {
  process.stdout.write(`${(await initHome(home)).join('\n')}\n`);
}

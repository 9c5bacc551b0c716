import type { Command } from 'commander';
import { nodePorts } from '../../../runtime/ports/node-ports.ts';
import { loadConfig, overridesFromEnvironment } from '../config/load.ts';
import { sampleConfig } from '../config/sample.ts';
import { machineEnvironment } from '../home/environment.ts';
import { makeDirectory } from '../home/files.ts';
import { openHome } from '../home/home.ts';
import { homeLayout } from '../home/layout.ts';
import { lockHome } from '../home/lock.ts';

interface HomeFlag {
  readonly home: string;
}

export function addInitCommand(program: Command, defaultHome: string): void {
  program
    .command('init')
    .description('make the server home, or complete one that was interrupted; `start` does it too')
    .option('--home <directory>', 'the server home', defaultHome)
    .action(async ({ home }: HomeFlag) => {
      process.stdout.write(`${(await initHome(home)).join('\n')}\n`);
    });
}

export function addConfigCommands(program: Command, defaultHome: string): void {
  const config = program.command('config').description('server.yaml');
  config
    .command('sample')
    .description('print every key with its meaning and default')
    .action(() => {
      process.stdout.write(sampleConfig());
    });
  config
    .command('check')
    .description('read server.yaml as `start` would and print the settings as JSON')
    .option('--home <directory>', 'the server home', defaultHome)
    .action(async ({ home }: HomeFlag) => {
      const layout = homeLayout(home);
      const overrides = overridesFromEnvironment(process.env);
      const loaded = await loadConfig({ file: layout.configFile, home: layout.root, overrides });
      process.stdout.write(`${JSON.stringify(loaded, undefined, 2)}\n`);
    });
}

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

import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execute, succeed } from './execute.ts';
import { kernelImage } from './kernel-image.ts';
import type { Host } from './lab.ts';

/** Ends and removes hosts with a kernel of their own: `down NAME`. */
export const kernelHostScript = join(dirname(fileURLToPath(import.meta.url)), 'kernelhost.sh');

/**
 * A Debian with a kernel of its own: modules, kernel-wide settings, swap, clock and SELinux are its
 * alone. /dev/ubdb and /dev/ubdc are empty disks of 64 MB.
 */
export interface KernelHost extends Host {
  /** Resolves when the host has booted again, which the action is to bring about. */
  rebooted(action: () => Promise<unknown>): Promise<void>;
  /** Ends the kernel at once, as a power cut does, and boots it again. */
  cutPower(): Promise<void>;
}

export interface KernelHostOptions {
  /** Enforcing, with Debian's policy; without it the kernel knows nothing of SELinux. */
  readonly selinux?: boolean;
}

/** What a lab knows of a host that is to be started. */
export interface KernelHostPlace {
  readonly name: string;
  readonly octet: number;
  readonly directory: string;
  readonly env: NodeJS.ProcessEnv;
  /** Name below the host's /opt -> directory of this machine. */
  readonly shared: Readonly<Record<string, string>>;
}

export async function startKernelHost(
  { name, octet, directory, env: lab, shared }: KernelHostPlace,
  { selinux = false }: KernelHostOptions,
): Promise<KernelHost> {
  const shares = Object.entries(shared).map(([to, from]) => `${to} ${from}\n`);
  const env = { ...lab, LABSHARES: shares.join('') };
  const call = (words: readonly string[], stdin?: string) =>
    execute(kernelHostScript, words, env, stdin);
  const verb = (word: string) => succeed(call([word, name]), `${word} host ${name}`);
  const words = selinux ? ['enforcing=1'] : ['lsm=yama'];
  const up = ['up', name, String(octet), kernelImage(), ...words];
  const pidFile = join(directory, 'hosts', name, 'uml.pid');
  const pid = () => (existsSync(pidFile) ? Number(readFileSync(pidFile, 'utf8')) : 0);
  await succeed(call(up), `start host ${name}`);
  await verb('wait');
  return {
    name,
    address: `10.99.0.${octet}`,
    run: (argv, stdin) => call(['sh', name, quoted(argv)], stdin),
    must: (argv, stdin) => succeed(call(['sh', name, quoted(argv)], stdin), argv.join(' ')),
    start: (argv) => spawn(kernelHostScript, ['sh', name, quoted(argv)], { env }),
    rebooted: async (action) => {
      const before = pid();
      await action();
      while (pid() === before) await new Promise((done) => setTimeout(done, 50));
      await verb('wait');
    },
    cutPower: async () => {
      await verb('cut');
      await verb('boot');
      await verb('wait');
    },
    down: async () => {
      await verb('down');
    },
  };
}

/** For the shell that ssh hands a command to. */
function quoted(argv: readonly string[]): string {
  return argv.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
}

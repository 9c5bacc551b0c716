import { AgentError } from '../../../errors.ts';
import { readText } from '../../../platform/text-file.ts';
import type { ResourceContext } from '../../contract.ts';
import { followTrusted } from '../../cross/places.ts';
import { configFile, configured, enforceFile, type Finding } from './host.ts';

export interface ModeSpec {
  readonly kind: 'mode';
  readonly mode: 'enforcing' | 'permissive' | 'disabled';
}

type Running = 'enforcing' | 'permissive' | 'disabled';

/** The mode in the configuration and in the kernel; both are files. */
export async function observeMode({ mode }: ModeSpec, context: ResourceContext): Promise<Finding> {
  const { platform } = context;
  const config = await readText(platform, configFile);
  const enforce = (await readText(platform, enforceFile))?.trim();
  const running: Running =
    enforce === undefined ? 'disabled' : enforce === '1' ? 'enforcing' : 'permissive';
  if (config === undefined && running === 'disabled') {
    if (mode !== 'disabled') throw new AgentError('AGENT_SELINUX_MISSING');
    return settled('SELinux is not set up');
  }
  const atBoot = configured(config ?? '', 'SELINUX')?.toLowerCase();
  // From disabled, and to it, only a boot leads.
  const now =
    running === 'disabled' ? undefined : mode === 'enforcing' ? 'enforcing' : 'permissive';
  const wrong = [
    ...(atBoot === mode ? [] : [`${configFile} says ${atBoot ?? 'nothing'}`]),
    ...(now === undefined || now === running ? [] : [`SELinux is ${running}`]),
  ];
  if (wrong.length === 0)
    return settled(
      running === mode ? `SELinux is ${mode}` : `${mode} after a reboot; until then ${running}`,
    );
  const diff = [
    ...(atBoot === mode ? [] : [`${configFile}: SELINUX=${atBoot ?? ''} -> SELINUX=${mode}`]),
    ...(now === undefined || now === running ? [] : [`running: ${running} -> ${now}`]),
  ].join('\n');
  return {
    drift: { action: 'updated', reason: `${wrong.join(', ')}, not ${mode}`, diff },
    repair: async (context) => {
      if (atBoot !== mode) await writeConfig(config ?? '', mode, context);
      if (now === undefined || now === running) return;
      const path = await context.platform.paths.resolve(enforceFile);
      await context.platform.files.writeKernel(path, now === 'enforcing' ? '1' : '0');
    },
  };
}

function settled(reason: string): Finding {
  return { drift: { action: 'none', reason }, repair: async () => undefined };
}

async function writeConfig(config: string, mode: string, context: ResourceContext): Promise<void> {
  const { path, status } = await followTrusted(configFile, context.platform);
  if (status !== undefined) await context.snapshot(path);
  const text = withMode(config, mode);
  await context.platform.files.writeAtomic(path, new TextEncoder().encode(text), {});
}

/** The configuration with another mode; all else stays as it is. */
export function withMode(config: string, mode: string): string {
  const lines = /^[^\S\n]*SELINUX[^\S\n]*=.*$/gm;
  if (lines.test(config)) return config.replace(lines, `SELINUX=${mode}`);
  const gap = config === '' || config.endsWith('\n') ? '' : '\n';
  return `${config}${gap}SELINUX=${mode}\n`;
}

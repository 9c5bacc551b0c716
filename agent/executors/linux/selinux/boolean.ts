import { AgentError } from '../../../errors.ts';
import { readText } from '../../../platform/text-file.ts';
import type { ResourceContext } from '../../contract.ts';
import { type Finding, localRecord, policyTool, requireRunning } from './host.ts';

export interface BooleanSpec {
  readonly kind: 'boolean';
  readonly name: string;
  readonly value: boolean;
  readonly persist: boolean;
  readonly absent: boolean;
}

const kernelDirectory = '/sys/fs/selinux';
const record = 'booleans.local';

/** A boolean as the kernel has it ("current pending") and as libsemanage keeps it for the next boot. */
export async function observeBoolean(
  spec: BooleanSpec,
  { platform }: ResourceContext,
): Promise<Finding> {
  await requireRunning(platform);
  const { name, absent, persist } = spec;
  const wanted = spec.value ? '1' : '0';
  const running = (await readText(platform, `${kernelDirectory}/booleans/${name}`))?.split(' ')[0];
  const local = new Map(
    (await localRecord(record, platform)).map((line) => {
      const [key = '', value = ''] = line.split('=').map((part) => part.trim());
      return [key, value] as const;
    }),
  );
  const kept = local.get(name);
  if (absent) return forgotten(name, local);
  if (running === undefined) throw new AgentError('AGENT_SELINUX_BOOLEAN', { detail: name });
  const runs = running === wanted;
  const keeps = !persist || kept === wanted;
  if (runs && keeps)
    return {
      drift: { action: 'none', reason: `${name} is ${onOff(wanted)}` },
      repair: async () => undefined,
    };
  const boot = kept === undefined ? 'left to the policy' : onOff(kept);
  return {
    drift: {
      action: 'updated',
      reason: runs
        ? `${name} is ${boot} after a reboot, not ${onOff(wanted)}`
        : `${name} is ${onOff(running)}, not ${onOff(wanted)}`,
      diff: [
        ...(runs ? [] : [`${name}: ${onOff(running)} -> ${onOff(wanted)}`]),
        ...(keeps ? [] : [`${name} at boot: ${boot} -> ${onOff(wanted)}`]),
      ].join('\n'),
    },
    repair: async (context) => {
      if (!runs) await setRunning(name, wanted, context);
      if (!keeps) await policyTool(['setsebool', '-P', name, wanted], context);
    },
  };
}

function onOff(value: string): string {
  return value === '1' || value === 'on' || value === 'true' ? 'on' : 'off';
}

/**
 * semanage has no word for one boolean: all are given back and the others set again, in the one
 * transaction of an import, as its own export writes it.
 */
function forgotten(name: string, local: ReadonlyMap<string, string>): Finding {
  const kept = local.get(name);
  if (kept === undefined)
    return {
      drift: { action: 'none', reason: `${name} is left to the policy` },
      repair: async () => undefined,
    };
  const others = [...local].filter(([key]) => key !== name);
  const lines = others.map(
    ([key, value]) => `boolean -m ${onOff(value) === 'on' ? '-1' : '-0'} ${key}`,
  );
  const commands = ['boolean -D', ...lines, ''].join('\n');
  return {
    drift: { action: 'deleted', reason: `${name} is set to ${onOff(kept)} on this machine` },
    repair: async (context) => {
      // A pipe of the shell: semanage's own domain may not read the socket that Node would give it.
      const feed = 'printf %s "$1" | semanage import';
      await policyTool(['sh', '-c', feed, 'sh', commands], context);
    },
  };
}

/** Sets the pending value, then makes it the current one. */
async function setRunning(
  name: string,
  value: string,
  { platform }: ResourceContext,
): Promise<void> {
  const { files, paths } = platform;
  const write = async (file: string, text: string) =>
    files.writeKernel(await paths.resolve(`${kernelDirectory}/${file}`), text);
  await write(`booleans/${name}`, value);
  await write('commit_pending_bools', '1');
}

import { causeOf, runTool } from '../platform/command.ts';
import type { Platform } from '../platform/platform.ts';
import type { TraitCollector } from './collector.ts';
import { sortedTexts } from './values.ts';

const systemctl = '/usr/bin/systemctl';
const toolTimeoutMs = 4_000;
const outputLimit = 4 * 1024 * 1024;
const unitLimit = 1_000;
const listWords = [
  'list-units',
  '--all',
  '--plain',
  '--no-legend',
  '--no-pager',
  '--full',
] as const;

/**
 * systemd.version, state, failed_units and units. Which units failed stands in no file, so systemctl
 * is asked: twice in ten passes.
 */
export const systemdCollector: TraitCollector = {
  name: 'systemd',
  collect: async ({ platform }) => {
    if ((await platform.files.status('/run/systemd/system')) === undefined) return undefined;
    const shown = await ask(platform, [systemctl, 'show', '--property=Version,SystemState']);
    const manager = new Map(shown.split('\n').map((line) => splitAt(line, '=')));
    const { failed, states } = parseUnits(await ask(platform, [systemctl, ...listWords]));
    return {
      version: (manager.get('Version') ?? '').split(/[\s(]/)[0]!,
      state: manager.get('SystemState') ?? '',
      failed_units: failed,
      units: states,
    };
  },
};

async function ask(platform: Platform, argv: readonly [string, ...string[]]): Promise<string> {
  const result = await runTool(platform, argv, { timeoutMs: toolTimeoutMs, outputLimit });
  if (result.exitCode !== 0) throw new Error(causeOf(result));
  return result.stdout;
}

function splitAt(line: string, mark: string): readonly [string, string] {
  const at = line.indexOf(mark);
  return at < 0 ? [line, ''] : [line.slice(0, at), line.slice(at + 1)];
}

/** Lines of "unit load active sub description". */
export function parseUnits(text: string) {
  const failed: string[] = [];
  const states: Record<string, number> = {};
  for (const line of text.split('\n')) {
    const [unit, , active] = line.replace(/^[●*\s]+/, '').split(/\s+/);
    if (unit === undefined || active === undefined || !/^[a-z]+$/.test(active)) continue;
    states[active] = (Object.hasOwn(states, active) ? states[active]! : 0) + 1;
    if (active === 'failed') failed.push(unit);
  }
  return { failed: sortedTexts(failed).slice(0, unitLimit), states };
}

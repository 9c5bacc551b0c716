import type { ResourceContext } from '../../contract.ts';
import { type Finding, localRecord, policyTool, requireRunning, setRule, typeOf } from './host.ts';

export interface PortSpec {
  readonly kind: 'port';
  /** "8081" or "9000-9010". */
  readonly port: string;
  readonly proto: string;
  readonly type: string | undefined;
  readonly absent: boolean;
}

const record = 'ports.local';

/** A local rule for a port, from libsemanage's record: `portcon tcp 8081 user:role:type:range`. */
export async function observePort(spec: PortSpec, { platform }: ResourceContext): Promise<Finding> {
  await requireRunning(platform);
  const { port, proto, absent } = spec;
  const what = `${proto} port ${port}`;
  const rule = (await localRecord(record, platform))
    .map((line) => line.split(/\s+/))
    .find((words) => words[0] === 'portcon' && words[1] === proto && words[2] === port);
  const type = rule && typeOf(rule[3] ?? '');
  if (absent ? rule === undefined : type === spec.type)
    return {
      drift: {
        action: 'none',
        reason: absent ? `${what} has no local rule` : `${what} is ${type}`,
      },
      repair: async () => undefined,
    };
  if (absent)
    return {
      drift: { action: 'deleted', reason: `${what} is ${type} by a local rule` },
      repair: async (context) => {
        await policyTool(['semanage', 'port', '-d', '-p', proto, port], context);
      },
    };
  return {
    drift: {
      action: rule === undefined ? 'created' : 'updated',
      reason: `${what} ${type === undefined ? 'has no local rule' : `is ${type}, not ${spec.type}`}`,
      diff: `${what}: ${type ?? 'left to the policy'} -> ${spec.type}`,
    },
    repair: (context) => setRule('port', ['-p', proto, '-t', spec.type ?? '', port], context),
  };
}

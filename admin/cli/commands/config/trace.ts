import type { Command } from 'commander';
import type { HostTrace, ModuleUsage } from '../../../../actors/explain/messages.ts';
import { AdminError } from '../../../errors.ts';
import { examples } from '../../examples.ts';
import type { OpenSession } from '../../session.ts';
import { publishTimeoutMs } from './shared.ts';
import { addSourceOptions, type SourceOptions, sourceBody } from './source.ts';
import { describeTrace, describeUsage } from './trace-text.ts';

interface TraceOptions extends SourceOptions {
  readonly module?: string;
  readonly vars?: boolean;
  readonly resources?: boolean;
}

export function addTraceCommand(config: Command, open: OpenSession): void {
  const command = config
    .command('trace')
    .argument('[host]', 'host name; it need not be enrolled')
    .description('explain where every module, variable and value of a host comes from, and why')
    .option('--module <name>', 'of the host only this module; without a host, where it is used')
    .option('--vars', 'variables only')
    .option('--resources', 'resources only')
    .action(async (host: string | undefined, options: TraceOptions) => {
      const it = await open();
      const { module } = options;
      if (host === undefined) {
        if (module === undefined)
          throw new AdminError('CLI_USAGE', 'name a host, or --module NAME');
        const body = { ...sourceBody(options), module };
        const path = '/api/v1/config/usage';
        const usage = await it.client.post<ModuleUsage>(path, body, publishTimeoutMs);
        it.print(usage, () => describeUsage(usage));
        return;
      }
      const body = { ...sourceBody(options), hostname: host };
      const path = '/api/v1/config/trace';
      const trace = await it.client.post<HostTrace>(path, body, publishTimeoutMs);
      const shown = module === undefined ? trace : onlyModule(trace, module);
      const everything = !options.vars && !options.resources;
      it.print(shown, () =>
        describeTrace(shown, {
          vars: everything || options.vars === true,
          resources: everything || options.resources === true,
        }),
      );
    });
  addSourceOptions(command);
  examples(command, [
    'vigocli config trace web-1',
    'vigocli config trace web-1 --module nginx --vars',
    'vigocli config trace web-1 --live',
    'vigocli config trace --module nginx',
  ]);
}

function onlyModule(trace: HostTrace, name: string): HostTrace {
  const { entry } = trace;
  if (!entry) return trace;
  const modules = entry.modules.filter((module) => module.name === name);
  const excluded = entry.excluded.filter((module) => module.name === name);
  if (modules.length + excluded.length === 0) {
    throw new AdminError('API_NOT_FOUND', `${trace.hostname} has no module ${name}`);
  }
  return { ...trace, entry: { ...entry, modules, excluded } };
}

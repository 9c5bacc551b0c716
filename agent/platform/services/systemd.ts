import { AgentError } from '../../errors.ts';
import { causeOf, machineCode, runTool } from '../command.ts';
import type { Platform } from '../platform.ts';
import type { ServiceAct, ServiceManager, ServiceStatus } from './service-manager.ts';
import { showFields } from './show-fields.ts';
import { ShowBatch } from './systemd-show.ts';

/** Starting may take as long as systemd itself waits (DefaultTimeoutStartSec=90s, stop the same). */
const actTimeoutMs = 240_000;
const suffixPattern = /\.(service|socket|timer|path|target|mount|automount|swap|slice|scope)$/;

const verbs: Readonly<Record<Exclude<ServiceAct, 'reread'>, string>> = {
  start: 'start',
  stop: 'stop',
  restart: 'restart',
  reload: 'reload-or-restart',
  enable: 'enable',
  disable: 'disable',
  unmask: 'unmask',
};

/**
 * systemd by systemctl, without a pager or a question: one call for all observations that are asked
 * for together, as the engine does when it looks ahead, and none for what files prove to be as it was.
 */
export class SystemdManager implements ServiceManager {
  readonly name = 'systemd';
  readonly #platform: Platform;
  readonly #shows: ShowBatch;

  constructor(platform: Platform) {
    this.#platform = platform;
    this.#shows = new ShowBatch(platform);
  }

  async status(service: string, signal?: AbortSignal): Promise<ServiceStatus> {
    const unit = suffixPattern.test(service) ? service : `${service}.service`;
    const status = parseShow(unit, await this.#shows.show(unit, signal));
    return status.generated ? { ...status, boot: await this.#generated(unit, signal) } : status;
  }

  async enabled(signal?: AbortSignal): Promise<readonly string[]> {
    const words = ['list-unit-files', '--type=service', '--state=enabled', '--no-legend'] as const;
    const argv = ['/usr/bin/systemctl', ...words, '--no-pager', '--plain'] as const;
    const result = await runTool(this.#platform, argv, { signal });
    if (result.exitCode !== 0)
      throw new AgentError('AGENT_SERVICE_FAILED', `list of services: ${causeOf(result)}`);
    const units = result.stdout.split('\n').map((line) => line.trim().split(/\s+/)[0] ?? '');
    return units
      .filter((unit) => unit !== '' && !unit.includes('@.'))
      .map((unit) => unit.replace(/\.service$/, ''));
  }

  async act(act: ServiceAct, status: ServiceStatus, signal?: AbortSignal): Promise<void> {
    const words = act === 'reread' ? ['daemon-reload'] : [verbs[act], '--', status.unit];
    const argv = ['/usr/bin/systemctl', '--quiet', '--no-ask-password', ...words] as const;
    this.#shows.forget();
    const result = await runTool(this.#platform, argv, { signal, timeoutMs: actTimeoutMs });
    if (result.exitCode !== 0)
      throw new AgentError(
        machineCode(result) ?? 'AGENT_SERVICE_FAILED',
        `${status.unit}: ${act}: ${causeOf(result)}`,
      );
  }

  /** A unit made from an init script is enabled by its links in /etc/rc?.d; systemctl asks them. */
  async #generated(unit: string, signal?: AbortSignal): Promise<'enabled' | 'disabled'> {
    const argv = ['/usr/bin/systemctl', 'is-enabled', '--', unit] as const;
    const result = await runTool(this.#platform, argv, { signal });
    return result.stdout.trim() === 'enabled' ? 'enabled' : 'disabled';
  }
}

/** Reads the output of `systemctl show` with the properties above. */
export function parseShow(unit: string, text: string): ServiceStatus & { generated: boolean } {
  const fields = showFields(text);
  const load = fields.get('LoadState') ?? '';
  const active = fields.get('ActiveState') ?? '';
  const file = fields.get('UnitFileState') ?? '';
  return {
    unit,
    exists: load !== 'not-found' && load !== '',
    activity: activityOf(active, fields.get('SubState') ?? ''),
    failed: active === 'failed',
    boot: load === 'masked' ? 'masked' : bootOf(file),
    definitionChanged: fields.get('NeedDaemonReload') === 'yes',
    description: [`${active}/${fields.get('SubState') ?? ''}`, file === '' ? load : file].join(
      ', ',
    ),
    generated: file === 'generated',
  };
}

function activityOf(active: string, sub: string): ServiceStatus['activity'] {
  if (active === 'active' || active === 'reloading' || active === 'refreshing') return 'running';
  if (active === 'activating') return sub === 'auto-restart' ? 'restarting' : 'running';
  return 'stopped';
}

/** Unit file states of systemctl(1); one without an [Install] section cannot be enabled or disabled. */
function bootOf(file: string): ServiceStatus['boot'] {
  if (file === 'enabled') return 'enabled';
  if (file.startsWith('masked')) return 'masked';
  if (['static', 'indirect', 'alias', 'transient', 'generated'].includes(file)) return 'fixed';
  return 'disabled';
}

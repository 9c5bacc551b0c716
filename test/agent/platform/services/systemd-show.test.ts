import t from 'tap';
import type { Platform, RunRequest } from '../../../../agent/platform/platform.ts';
import { SystemdManager } from '../../../../agent/platform/services/systemd.ts';
import { type SimulatedTool, simulatedMachine } from '../../../support/simulated-machine.ts';

/** As systemctl 252: a section per unit in their order; a name that is none ends it. */
const systemctl: SimulatedTool = (words) => {
  const units = words.slice(words.indexOf('--') + 1);
  if (units.some((unit) => unit.includes('@.')))
    return { exitCode: 1, stderr: 'Failed to get properties: Unit name is neither valid' };
  const section = (unit: string) =>
    `Id=${unit}\nLoadState=loaded\nActiveState=${unit.startsWith('up') ? 'active' : 'inactive'}\n`;
  return { stdout: units.map(section).join('\n') };
};

function machine(): { platform: Platform; calls: RunRequest[] } {
  const calls: RunRequest[] = [];
  const tools = { '/usr/bin/systemctl': systemctl };
  return { platform: simulatedMachine(tools, calls)('/'), calls };
}

t.test('observations that are made together are one call, each with its own answer', async (t) => {
  const { platform, calls } = machine();
  const manager = new SystemdManager(platform);
  const names = Array.from({ length: 100 }, (_, index) => `${index % 3 ? 'up' : 'down'}${index}`);
  const found = await Promise.all(names.map((name) => manager.status(name)));
  for (const [index, { unit, activity }] of found.entries()) {
    t.equal(unit, `${names[index]}.service`);
    t.equal(activity, index % 3 ? 'running' : 'stopped', unit);
  }
  t.equal(calls.length, 2, 'one call takes a limited number of units');
});

t.test('nothing is kept: a later question is a new call', async (t) => {
  const { platform, calls } = machine();
  const manager = new SystemdManager(platform);
  await manager.status('up');
  await manager.status('up');
  t.equal(calls.length, 2);
});

t.test('a name that systemd refuses is the trouble of its own resource only', async (t) => {
  const { platform } = machine();
  const manager = new SystemdManager(platform);
  const [good, bad] = await Promise.allSettled([manager.status('up'), manager.status('getty@')]);
  t.match(good, { status: 'fulfilled', value: { activity: 'running' } });
  t.match(bad, { status: 'rejected', reason: { code: 'AGENT_SERVICE_FAILED' } });
});

t.test('who stops waiting does not stop the others', async (t) => {
  const { platform, calls } = machine();
  const manager = new SystemdManager(platform);
  const stop = new AbortController();
  stop.abort();
  const gone = manager.status('up1', stop.signal);
  const stays = manager.status('up2', new AbortController().signal);
  t.equal((await stays).activity, 'running');
  await gone;
  t.equal(calls[0]?.signal?.aborted, false);
});

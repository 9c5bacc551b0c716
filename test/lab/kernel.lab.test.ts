import t from 'tap';
import { requires } from '../support/requires.ts';
import { clockJumps } from './kernel-clock.ts';
import { powerCutInAPass } from './kernel-power.ts';
import { contextsAreKept, policyIsKept } from './kernel-selinux.ts';
import { rebootKeepsState, typesAreRemoved, typesConverge, typesRefuse } from './kernel-types.ts';
import { type Lab, startLab } from './lab.ts';
import { LabServer } from './lab-server.ts';

const needs = ['systemd-nspawn', 'mmdebstrap', 'gcc', 'ssh', 'mke2fs'] as const;
const skip = requires('root', 'linux', ...needs.map((name) => `command:${name}` as const));

t.setTimeout(600_000);

/** A container shares the kernel of the machine that tests; these hosts have one of their own. */
t.test('hosts with a kernel of their own', { skip, jobs: 2 }, async (t) => {
  const lab: Lab = await startLab();
  const metal = lab.kernelHost('metal');
  const sealed = lab.kernelHost('sealed', { selinux: true });
  const serving = LabServer.start(lab, '1s');
  t.teardown(async () => {
    await (await serving).stop();
    await lab.stop();
  });

  t.test('types that reach the kernel', { buffered: true }, async (t) => {
    const host = await metal;
    await t.test('modules, settings, swap, mounts and names', (t) => typesConverge(t, host));
    await t.test('what the kernel refuses', (t) => typesRefuse(t, host));
    await t.test('a reboot by the resource', (t) => rebootKeepsState(t, host));
    await t.test('removal', (t) => typesAreRemoved(t, host));
    await t.test('a power cut in the middle of a pass', (t) => powerCutInAPass(t, host));
  });

  t.test('SELinux, enforcing', { buffered: true }, async (t) => {
    const host = await sealed;
    await t.test('contexts and ACLs survive every change', (t) => contextsAreKept(t, host));
    await t.test('the clock', async (t) => clockJumps(t, host, await serving));
    await t.test('mode, booleans, labels and ports', (t) => policyIsKept(t, host));
  });
});

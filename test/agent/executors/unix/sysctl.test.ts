import { existsSync, readFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { sysctlType } from '../../../../agent/executors/unix/sysctl.ts';
import { sysctlPath } from '../../../../agent/executors/unix/sysctl-key.ts';
import { createNodePlatform } from '../../../../agent/platform/node-platform.ts';
import { PlatformError } from '../../../../agent/platform/platform-error.ts';
import { type ExecutorCase, proveExecutor } from '../../../support/executor-harness.ts';
import { fc } from '../../../support/property.ts';
import { arrange } from '../../../support/simulated-machine.ts';

const knob = '/proc/sys/net/ipv4/ip_forward';
const file = '/etc/sysctl.d/99-vigo-net.ipv4.ip_forward.conf';
const content = '# Managed by vigo; changes made here are undone.\nnet.ipv4.ip_forward = 1\n';
const forward = { key: 'net.ipv4.ip_forward', value: 1 };
const having = (files: Record<string, string>) => (root: string) => arrange(root, files);
const on = (root: string, t: Test) => {
  t.equal(readFileSync(root + knob, 'utf8'), '1\n');
  t.equal(readFileSync(root + file, 'utf8'), content);
};

const settings: readonly ExecutorCase[] = [
  {
    name: 'set and kept',
    parameters: forward,
    arrange: having({ [knob]: '0\n' }),
    action: 'updated',
    reason: /is 0, not 1/,
    check: on,
  },
  {
    name: 'as declared',
    parameters: forward,
    arrange: having({ [knob]: '1\n', [file]: content }),
    action: 'none',
  },
  {
    name: 'only the running value drifted',
    parameters: forward,
    arrange: having({ [knob]: '0\n', [file]: content }),
    action: 'updated',
    check: on,
  },
  {
    name: 'only the file drifted',
    parameters: forward,
    arrange: having({ [knob]: '1\n', [file]: '#' }),
    action: 'updated',
    check: on,
  },
  {
    name: 'only the file is missing',
    parameters: forward,
    arrange: having({ [knob]: '1\n' }),
    action: 'created',
    check: on,
  },
  {
    name: 'not kept',
    parameters: { ...forward, persist: false },
    arrange: having({ [knob]: '0\n' }),
    action: 'updated',
    check: (root, t) => t.notOk(existsSync(root + file)),
  },
  {
    name: 'tabs of the kernel are spaces',
    parameters: { key: 'net.ipv4.tcp_rmem', value: '4096 131072  6291456', persist: false },
    arrange: having({ '/proc/sys/net/ipv4/tcp_rmem': '4096\t131072\t6291456\n' }),
    action: 'none',
  },
  {
    name: 'absent leaves the running value',
    parameters: { key: 'net.ipv4.ip_forward', state: 'absent' },
    arrange: having({ [knob]: '1\n', [file]: content }),
    action: 'deleted',
    check: (root, t) => {
      t.notOk(existsSync(root + file));
      t.equal(readFileSync(root + knob, 'utf8'), '1\n');
    },
  },
  { name: 'absent already', parameters: { ...forward, state: 'absent' }, action: 'none' },
  {
    name: 'no such setting',
    parameters: forward,
    action: 'failed',
    errorCode: 'AGENT_SYSCTL_UNKNOWN',
  },
  {
    name: 'no value',
    parameters: { key: 'net.ipv4.ip_forward' },
    action: 'failed',
    errorCode: 'POLICY_PARAMETER_INVALID',
  },
  {
    name: 'out of /proc/sys',
    parameters: { key: 'net/../../x', value: 1 },
    action: 'failed',
    errorCode: 'POLICY_PARAMETER_INVALID',
  },
];

t.test('a kernel setting is what is declared', (t) =>
  proveExecutor(t, sysctlType, settings, { interrupted: 'first-of-each-action' }),
);

t.test('a value that the kernel refuses never gets into the file', async (t) => {
  const root = t.testdir({ proc: { sys: { net: { ipv4: { ip_forward: '0\n' } } } } });
  const node = createNodePlatform({ root });
  const files = Object.assign(Object.create(node.files), {
    writeKernel: async (path: string) => {
      throw new PlatformError('EINVAL', 'write', path);
    },
  });
  const context = {
    platform: { ...node, files },
    signal: new AbortController().signal,
    triggered: false,
    snapshot: async () => {},
  };
  const spec = sysctlType.parse(forward);
  const state = await sysctlType.observe(spec, context);
  const drift = { action: 'updated', reason: '' } as const;
  await t.rejects(sysctlType.apply(spec, state, drift, context), { code: 'AGENT_SYSCTL_REFUSED' });
  t.notOk(existsSync(root + file));
});

t.test('keys with dots and slashes, and no key that leads elsewhere', async (t) => {
  t.equal(
    sysctlPath('net.ipv4.conf.eth0/100.forwarding'),
    '/proc/sys/net/ipv4/conf/eth0.100/forwarding',
  );
  t.equal(
    sysctlPath('net/ipv4/conf/eth0.100/forwarding'),
    '/proc/sys/net/ipv4/conf/eth0.100/forwarding',
  );
  const key = fc.string({ unit: fc.constantFrom('a', '.', '/', '-', '\n', '*') });
  fc.assert(
    fc.property(key, (key) => {
      try {
        const { path } = sysctlType.parse({ key, value: 1 }).file!;
        const places = [path, sysctlPath(key)].flatMap((one) => one.split('/'));
        if (places.includes('..') || places.includes('.') || key.includes('\n'))
          throw new Error(key);
      } catch (error) {
        if ((error as { code?: string }).code !== 'POLICY_PARAMETER_INVALID') throw error;
      }
    }),
    { numRuns: 2000 },
  );
});

import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { createEngine } from '../../../../agent/converge/engine.ts';
import { execType } from '../../../../agent/executors/cross/exec.ts';
import { typeRegistry } from '../../../../agent/executors/registry.ts';
import { createNodePlatform } from '../../../../agent/platform/node-platform.ts';
import type { PolicyValue } from '../../../../agent/protocol/bundle.ts';
import { type ExecutorCase, proveExecutor } from '../../../support/executor-harness.ts';
import { requires } from '../../../support/requires.ts';
import { resourceBundle } from '../../../support/resource-bundle.ts';

const platform = () => createNodePlatform();

async function runOnce(parameters: Record<string, PolicyValue>, dryRun = false) {
  const engine = createEngine({ platform: platform(), registry: typeRegistry([execType]) });
  const document = resourceBundle({ type: 'exec', parameters });
  return (await engine.pass({ document, traits: {}, dryRun })).resources[0]!;
}

t.test('exec', async (t) => {
  const place = t.testdir({});
  const mark = `${place}/mark`;
  const arrange = () => rmSync(mark, { force: true });
  const marked = (content: string) => (_: string, t: Test) =>
    t.equal(readFileSync(mark, 'utf8'), content);
  const rows: ExecutorCase[] = [
    {
      name: 'creates holds it back once it is done',
      parameters: { command: `echo done > ${mark}`, creates: mark },
      action: 'updated',
      second: 'skipped',
      check: marked('done\n'),
    },
    {
      name: 'unless holds it back once it is done',
      parameters: { command: `echo done > ${mark}`, unless: `test -e ${mark}` },
      action: 'updated',
      second: 'skipped',
      check: marked('done\n'),
    },
    {
      name: 'onlyif says no',
      parameters: { command: `echo done > ${mark}`, onlyif: 'false' },
      action: 'skipped',
      check: (_, t) => t.notOk(existsSync(mark)),
    },
    {
      name: 'input, environment and directory',
      parameters: {
        command: 'printf "%s %s " "$GREETING" "$PWD" > mark; cat >> mark',
        stdin: 'input',
        cwd: place,
        environment: 'GREETING=hello',
        creates: mark,
      },
      action: 'updated',
      second: 'skipped',
      check: marked(`hello ${place} input`),
    },
    {
      name: 'accepted exit codes',
      parameters: { command: `touch ${mark}; exit 3`, returns: '0,3', creates: mark },
      action: 'updated',
      second: 'skipped',
    },
    {
      name: 'a command against the agent',
      parameters: { command: 'systemctl stop vigo-envoy' },
      action: 'failed',
      errorCode: 'AGENT_GUARDRAIL',
    },
    {
      name: 'a directory that is not there',
      parameters: { command: 'true', onlyif: 'true', cwd: '/no/such/directory' },
      action: 'failed',
      errorCode: 'AGENT_PATH_MISSING',
    },
    {
      name: 'bad parameters',
      parameters: {
        command: 'true',
        timeout: 'soon',
        nice: '40',
        returns: 'ok',
        environment: '=x',
      },
      action: 'failed',
      errorCode: 'POLICY_PARAMETER_INVALID',
      reason: /timeout.*nice|environment|returns/,
    },
  ];
  await proveExecutor(
    t,
    execType,
    rows.map((row) => ({ ...row, arrange })),
    { platform },
  );
});

t.test('it acts on the whole machine, so never in a confined root', async (t) => {
  const row: ExecutorCase = {
    name: 'blocked',
    parameters: { command: 'true' },
    action: 'blocked',
    errorCode: 'AGENT_TYPE_NOT_CONFINABLE',
  };
  await proveExecutor(t, execType, [row]);
});

t.test('a failed command says why, unless its output is not to be logged', async (t) => {
  const failing = { command: 'echo because >&2; exit 4' };
  t.match(await runOnce(failing), { errorCode: 'AGENT_COMMAND_FAILED', reason: /exit 4: because/ });
  t.notMatch((await runOnce({ ...failing, logoutput: 'false' })).reason, /because/);
});

t.test('a command that is not installed is trouble of the machine', async (t) => {
  const outcome = await runOnce({ command: 'no-such-command --at-all' });
  t.match(outcome, { action: 'blocked', errorCode: 'AGENT_COMMAND_MISSING' });
});

t.test('a dry run asks the guards and runs nothing', async (t) => {
  const place = t.testdir({});
  const command = `touch ${place}/mark`;
  t.match(await runOnce({ command, onlyif: 'true' }, true), { action: 'updated' });
  t.match(await runOnce({ command, onlyif: 'false' }, true), { action: 'skipped' });
  t.notOk(existsSync(`${place}/mark`));
});

t.test('the time limit stops it', async (t) => {
  t.match(await runOnce({ command: 'sleep 60', timeout: '1' }), {
    action: 'failed',
    errorCode: 'AGENT_TIME_LIMIT',
  });
});

t.test('in the background it is started and not waited for', async (t) => {
  const place = t.testdir({});
  const parameters = { command: `exec > ${place}/out; sleep 2`, background: 'true' };
  t.match(await runOnce(parameters), { action: 'updated' });
});

const asRoot = requires('root', 'linux');
t.test('as another user', { skip: asRoot }, async (t) => {
  const place = t.testdir({});
  chmodSync(place, 0o777);
  writeFileSync(`${place}/out`, '');
  chmodSync(`${place}/out`, 0o666);
  const outcome = await runOnce({ command: `id -un > ${place}/out`, user: 'nobody' });
  t.equal(outcome.action, 'updated', outcome.reason);
  t.equal(readFileSync(`${place}/out`, 'utf8'), 'nobody\n');
  t.match(await runOnce({ command: 'id', user: 'ghost' }), { errorCode: 'AGENT_USER_UNKNOWN' });
  const hostile = await runOnce({ command: 'id', user: 'no;body' });
  t.match(hostile, { errorCode: 'POLICY_PARAMETER_INVALID' }, 'no such name reaches a program');
});

t.test('a secret comes in a file of its own, in memory, which is gone afterwards', async (t) => {
  const place = t.testdir({});
  const command = `f={{secret_file}}; cat $f; stat -c ' %a' $f; echo $f`;
  const onlyif = 'true';
  const done = await runOnce({
    command: `(${command}) > ${place}/out; exit 9`,
    secret_file: 'value',
    onlyif,
  });
  t.match(done, { action: 'failed', errorCode: 'AGENT_COMMAND_FAILED' });
  const [content, path = ''] = readFileSync(`${place}/out`, 'utf8').trim().split('\n');
  t.equal(content, 'value 600');
  t.match(path, /^\/(dev\/shm|run)\//);
  t.notOk(existsSync(path), 'also after a failure');
  const both = { command: 'true', onlyif, secret_file: 'value' };
  const excluded: Record<string, PolicyValue>[] = [{ background: true }, { stdin: 'x' }];
  for (const one of excluded)
    t.match(await runOnce({ ...both, ...one }), { errorCode: 'POLICY_PARAMETER_INVALID' });
});

import { execFileSync } from 'node:child_process';
import t from 'tap';

const log = new URL('../../../actors/server/log.ts', import.meta.url).href;

/** What a log of these options writes to standard error for one call. */
function written(options: object, call: string): string {
  const script = `import { createLog } from '${log}'; createLog(${JSON.stringify(options)}).${call};`;
  return execFileSync(
    '/bin/sh',
    ['-c', '"$0" --input-type=module --eval "$1" 2>&1', process.execPath, script],
    { encoding: 'utf8' },
  );
}

const json = { level: 'info', format: 'json', thread: 'main' };

t.test('secrets do not reach the log', async (t) => {
  const call = "info({ token: 'hush', request: { authorization: 'hush' }, id: 'x' }, 'hello')";
  const line = written(json, call);
  t.notOk(line.includes('hush'));
  t.match(JSON.parse(line), { msg: 'hello', id: 'x', thread: 'main', token: '[secret]' });
});

t.test('less severe entries than the level are left out', async (t) => {
  t.equal(written({ ...json, level: 'warn' }, "info('quiet')"), '');
});

t.test('the human form is one line with the message first', async (t) => {
  const line = written({ ...json, format: 'human' }, "warn({ port: 5 }, 'careful')");
  t.match(line, /^.*\d\d:\d\d:\d\d.*careful.*port=5.*\n$/);
  t.equal(line.split('\n').length, 2);
});

t.test('auto means JSON where no terminal is', async (t) => {
  t.equal(JSON.parse(written({ ...json, format: 'auto' }, "info('x')")).msg, 'x');
});

import { type ChildProcess, spawn } from 'node:child_process';
import t from 'tap';
import { FakeApi } from '../../support/fake-api.ts';
import { programFile } from '../../support/program.ts';

const main = programFile('admin/cli/main');
const api = await FakeApi.open();
t.teardown(() => api.close());
const hostile = 'x\u001b[2J\u009b31m\u202ey';

function tokens(...ids: string[]): { status: number; body: string } {
  const items = ids.map((id) => ({ id, match: [hostile], createdBy: 'a', expiresAtMs: 1 }));
  return { status: 200, body: JSON.stringify({ items }) };
}

class Watcher {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  out = '';
  complaint = '';

  constructor(...args: string[]) {
    const env = { PATH: process.env.PATH ?? '', COLUMNS: '100' };
    const flags = '--disable-warning=ExperimentalWarning';
    this.child = spawn(process.execPath, [flags, main, ...api.flags, ...args], { env });
    this.child.stdout?.on('data', (chunk: Buffer) => {
      this.out += chunk.toString();
    });
    this.child.stderr?.on('data', (chunk: Buffer) => {
      this.complaint += chunk.toString();
    });
    this.ended = new Promise((resolve) => this.child.once('close', resolve));
    t.teardown(() => void this.child.kill('SIGKILL'));
  }
}

async function eventually(check: () => boolean): Promise<boolean> {
  for (const untilMs = Date.now() + 60_000; !check(); ) {
    if (Date.now() > untilMs) return false;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return true;
}

t.test('a view comes again when it is another one, and ends with Ctrl-C', async (t) => {
  api.answer = () => tokens('first');
  const watcher = new Watcher('tokens', 'list', '--watch', '--every', '500ms', '--json');
  const lines = () => watcher.out.split('\n').filter(Boolean);
  t.ok(await eventually(() => lines().length === 1));
  const asked = api.asked.length;
  t.ok(await eventually(() => api.asked.length > asked + 2), 'it looks again');
  t.equal(lines().length, 1, 'the same view is not printed again');
  api.answer = () => tokens('first', 'second');
  t.ok(await eventually(() => lines().length === 2));
  const ids = (JSON.parse(lines()[1] ?? '') as { items: { id: string }[] }).items;
  t.same(
    ids.map(({ id }) => id),
    ['first', 'second'],
    'one line of JSON a view',
  );
  t.ok(api.asked.includes('GET /api/v1/events'), 'and it listens to what happens');
  watcher.child.kill('SIGINT');
  t.equal(await watcher.ended, 0);
});

t.test('a server that goes away does not end a watch at once', async (t) => {
  api.answer = () => tokens('first');
  const watcher = new Watcher('tokens', 'list', '--watch', '--every', '500ms', '--plain');
  t.ok(await eventually(() => watcher.out.includes('first')));
  const busy = { status: 503, code: 'API_BUSY', detail: 'too many', remedy: 'later' };
  api.answer = () => ({ status: 503, body: JSON.stringify(busy) });
  t.ok(await eventually(() => watcher.complaint.includes('API_BUSY')));
  api.answer = () => tokens('third');
  t.ok(await eventually(() => watcher.out.includes('third')), 'and goes on');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what must not be there
  t.notMatch(watcher.out, /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202e]/);
  watcher.child.kill('SIGTERM');
  t.equal(await watcher.ended, 0);
});

t.test('what cannot be shown at first ends at once, with its code', async (t) => {
  const problem = { status: 403, code: 'API_FORBIDDEN', detail: 'not you', remedy: 'ask' };
  api.answer = () => ({ status: 403, body: JSON.stringify(problem) });
  const refused = new Watcher('tokens', 'list', '--watch');
  t.equal(await refused.ended, 4);
  t.match(refused.complaint, /^API_FORBIDDEN/);
  const alone = new Watcher('tokens', 'list', '--every', '2s');
  t.equal(await alone.ended, 64);
  t.match(alone.complaint, /--every needs --watch/);
});

t.test('--quiet says nothing beside results and errors', async (t) => {
  const created = { id: '1', token: 'vigo-token-x', expiresAtMs: 5 };
  api.answer = () => ({ status: 200, body: JSON.stringify(created) });
  const words = ['auth', 'create-token', '--name', 'ci', '--role', 'viewer'];
  const loud = new Watcher(...words);
  const quiet = new Watcher(...words, '--quiet');
  t.equal(await loud.ended, 0);
  t.equal(await quiet.ended, 0);
  t.match(loud.complaint, /shown this once/);
  t.equal(quiet.complaint, '');
  t.equal(quiet.out, 'vigo-token-x\n');
});

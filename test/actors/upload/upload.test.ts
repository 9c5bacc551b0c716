import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { ServerError } from '../../../actors/errors.ts';
import { uploadKind } from '../../../actors/upload/actor.ts';
import { uploadAddress, uploadsMax } from '../../../actors/upload/messages.ts';
import { nodePorts } from '../../../runtime/ports/node-ports.ts';
import { openSimulatedStore } from '../../../runtime/simulate/simulated-store.ts';
import { SimulatedStoreDisk } from '../../../runtime/simulate/simulated-store-disk.ts';
import { ThreadSystem } from '../../../runtime/system.ts';
import { fc } from '../../support/property.ts';

const base = mkdtempSync(join(tmpdir(), 'vigo-upload-'));
const root = join(base, 'uploads');
const deadline = { deadlineMs: 10_000 };
const ports = nodePorts();
t.teardown(() => rmSync(base, { recursive: true, force: true }));

function open(): ThreadSystem {
  const { store } = openSimulatedStore({ disk: new SimulatedStoreDisk(), ports });
  return new ThreadSystem({
    thread: 'service',
    topology: { threads: [{ name: 'service', role: 'service' }], services: {} },
    kinds: [uploadKind(root)],
    ports,
    store,
  });
}

const system = open();
const put = (files: readonly { path: string; text: string }[]) =>
  system.ask(uploadAddress(), 'put', { files }, deadline);

t.test('a stack that was sent stands until it is dropped, and nothing else is', async (t) => {
  const files = [
    { path: 'templates/motd.new', text: 'new' },
    { path: 'templates/motd', text: 'hello' },
    { path: 'modules/a.vgo', text: 'name: a\n' },
  ];
  const { directory } = await put(files);
  for (const { path, text } of files) t.equal(readFileSync(join(directory, path), 'utf8'), text);
  const foreign = join(base, 'foreign');
  writeFileSync(foreign, '');
  await system.ask(uploadAddress(), 'drop', { directory: foreign }, deadline);
  t.ok(existsSync(foreign), 'only what was put can be dropped');
  await system.ask(uploadAddress(), 'drop', { directory }, deadline);
  t.same(readdirSync(root), []);
});

t.test('no path leads out of the upload or hides in it', async (t) => {
  const hostile = ['../x.vgo', '/etc/x.vgo', 'a/../../x.vgo', 'a//b.vgo', './a.vgo', '.git/a.vgo'];
  const odd = [
    'a\\..\\b.vgo',
    'a\u0000.vgo',
    'a\n.vgo',
    'run.sh',
    'templates',
    '',
    `${'x'.repeat(600)}.vgo`,
  ];
  for (const path of [...hostile, ...odd]) {
    const files = [
      { path: 'good.vgo', text: '' },
      { path, text: '' },
    ];
    await t.rejects(put(files), { code: 'UPLOAD_BAD_PATH' }, JSON.stringify(path));
  }
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'grapheme' }), async (text) => {
      const answer = await put([{ path: `${text}.vgo`, text }]).catch((error: unknown) => error);
      if (answer instanceof ServerError) return answer.code.startsWith('UPLOAD_');
      const { directory } = answer as { directory: string };
      await system.ask(uploadAddress(), 'drop', { directory }, deadline);
      return directory.startsWith(root);
    }),
    { numRuns: 60 },
  );
  t.same(readdirSync(root), [], 'and a refused one leaves nothing');
  t.same(readdirSync(base).sort(), ['foreign', 'uploads']);
});

t.test('uploads that nobody drops are bounded, and gone after a restart', async (t) => {
  for (let at = 0; at < uploadsMax; at++) await put([{ path: 'a.vgo', text: '' }]);
  await t.rejects(put([]), { code: 'UPLOAD_LIMIT' });
  const again = open();
  await again.ask(uploadAddress(), 'put', { files: [{ path: 'b.vgo', text: '' }] }, deadline);
  t.equal(readdirSync(root).length, 1);
});

import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import t from 'tap';
import { NodeFiles } from '../../../agent/platform/node-files.ts';
import { temporaryName } from '../../../agent/platform/platform.ts';
import { requires } from '../../support/requires.ts';

const files = new NodeFiles();
const bytes = (text: string) => new TextEncoder().encode(text);

t.test('a write replaces the file in one step and keeps its mode', async (t) => {
  const place = t.testdir({ kept: 'old' });
  chmodSync(`${place}/kept`, 0o4751);
  const before = lstatSync(`${place}/kept`).ino;
  await files.writeAtomic(`${place}/kept`, bytes('new'), {});
  const after = lstatSync(`${place}/kept`);
  t.equal(readFileSync(`${place}/kept`, 'utf8'), 'new');
  t.equal(after.mode & 0o7777, 0o4751);
  t.not(after.ino, before, 'another file took its place');
  t.same(readdirSync(place), ['kept']);
});

t.test('a new file has the mode that was asked for, whatever the umask', async (t) => {
  const place = t.testdir({});
  const umask = process.umask(0o077);
  t.teardown(() => process.umask(umask));
  await files.writeAtomic(`${place}/plain`, bytes(''), {});
  await files.writeAtomic(`${place}/open`, bytes(''), { mode: 0o666 });
  await files.makeDirectory(`${place}/directory`, 0o777);
  t.equal(lstatSync(`${place}/plain`).mode & 0o777, 0o644);
  t.equal(lstatSync(`${place}/open`).mode & 0o777, 0o666);
  t.equal(lstatSync(`${place}/directory`).mode & 0o777, 0o777);
});

const withAcl = requires('linux', 'command:setfacl', 'command:getfacl');
t.test('a write keeps the access list of the file', { skip: withAcl }, async (t) => {
  const place = t.testdir({ kept: 'old' });
  const acl = () => execFileSync('getfacl', ['-cnp', `${place}/kept`], { encoding: 'utf8' });
  try {
    execFileSync('setfacl', ['-m', 'u:12345:r', `${place}/kept`], { stdio: 'ignore' });
  } catch {
    return t.pass('this file system has no access lists');
  }
  const before = acl();
  await files.writeAtomic(`${place}/kept`, bytes('new'), {});
  t.equal(acl(), before);
});

t.test('a link, a pipe or a device in place of a file does not fool or hang it', async (t) => {
  const place = t.testdir({ secret: 'secret' });
  symlinkSync('secret', `${place}/link`);
  execFileSync('mkfifo', [`${place}/pipe`]);
  await t.rejects(files.read(`${place}/link`), { code: 'ELOOP' });
  await t.rejects(files.read(`${place}/pipe`), { code: 'EINVAL' });
  await t.rejects(files.read('/dev/zero'), { code: 'EINVAL' });
  await t.rejects(files.setMode(`${place}/link`, 0o777), { code: 'ELOOP' });
  await files.writeAtomic(`${place}/link`, bytes('mine'), {});
  t.equal(readFileSync(`${place}/secret`, 'utf8'), 'secret', 'the link was replaced');
});

t.test('a read is bounded, and large files come whole', async (t) => {
  const place = t.testdir({ large: 'x'.repeat(1_000_000) });
  t.equal((await files.read(`${place}/large`)).length, 1_000_000);
  await t.rejects(files.read(`${place}/large`, 999_999), { code: 'EFBIG' });
});

t.test('a failed write leaves neither file nor temporary file', async (t) => {
  const place = t.testdir({ taken: { full: '' } });
  await t.rejects(files.writeAtomic(`${place}/taken`, bytes('x'), {}), { code: 'EISDIR' });
  await t.rejects(files.writeAtomic(`${place}/none/x`, bytes('x'), {}), { code: 'ENOENT' });
  t.same(readdirSync(place), ['taken']);
});

t.test('only what an interrupted write left is cleaned', async (t) => {
  const place = t.testdir({});
  const left = temporaryName('0123456789abcdef');
  writeFileSync(`${place}/${left}`, 'half');
  for (const name of ['.vigo-mine.tmp', 'file', `${left}.x`]) writeFileSync(`${place}/${name}`, '');
  mkdirSync(`${place}/directory`);
  t.equal(await files.removeTemporaries(place), 1);
  t.equal(await files.removeTemporaries(`${place}/none`), 0);
  t.equal(readdirSync(place).length, 4);
});

t.test('what a killed write left goes with the next write there, a living one stays', async (t) => {
  const place = t.testdir({});
  const [dead, living] = ['0123456789abcdef', 'fedcba9876543210'].map(temporaryName);
  writeFileSync(`${place}/${dead}`, 'half');
  const own = new NodeFiles();
  await own.writeAtomic(`${place}/a`, new Uint8Array(1), {});
  writeFileSync(`${place}/${living}`, 'half');
  await own.writeAtomic(`${place}/b`, new Uint8Array(1), {});
  t.same(readdirSync(place).sort(), [living, 'a', 'b']);
});

t.test('nothing there', async (t) => {
  t.equal(await files.status('/none/of/this'), undefined);
  t.equal(await files.status('/etc/passwd/below'), undefined);
  await files.removeFile('/none');
});

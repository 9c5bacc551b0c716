import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { refusalResponse } from '../../../admin/api/http/respond.ts';
import { hostPattern, installCommands } from '../../../admin/api/install/command.ts';
import { createInstallSource, isNewer } from '../../../admin/api/install/source.ts';
import { edgeLimits, openNodeEdge } from '../../../admin/api/node-edge.ts';
import { routeTable } from '../../../admin/api/route-table.ts';
import { Router } from '../../../admin/api/router.ts';
import { fc } from '../../support/property.ts';
import { requires } from '../../support/requires.ts';
import { testAuthority } from '../../support/test-authority.ts';
import { fakeBackend } from './fake-backend.ts';

const run = promisify(execFile);
const authority = await testAuthority();
const program = randomBytes(300_000);
const sha256 = createHash('sha256').update(program).digest('hex');

/** The edge of a server whose home holds programs of these versions. */
async function serve(t: Test, versions: readonly string[] = ['0.1.0']) {
  const directory = mkdtempSync(join(tmpdir(), 'vigo-agents-'));
  for (const version of versions) {
    const manifest = { version, platform: 'linux-x64', bytes: program.length, sha256 };
    writeFileSync(join(directory, `vigo-${version}-linux-x64.gz`), gzipSync(program));
    writeFileSync(join(directory, `vigo-${version}-linux-x64.json`), JSON.stringify(manifest));
  }
  let port = 0;
  const install = createInstallSource({
    directory,
    certificateChain: authority.serverCertificate,
    grpcPort: 1530,
    apiPort: () => port,
    names: ['', '0.0.0.0', 'localhost'],
  });
  const backend = { ...fakeBackend(), install };
  const access = { find: () => undefined, nowMs: () => 0, used: () => undefined };
  const { handle, bodyBytesMax } = new Router(routeTable, backend, access);
  const edge = await openNodeEdge(
    {
      ...{ host: '127.0.0.1', port: 0, bodyBytesMax, handle },
      certificatePem: authority.serverCertificate,
      keyPem: authority.serverKey,
      tooLarge: { status: 413, headers: {}, body: '' },
      malformed: refusalResponse,
    },
    { ...edgeLimits, drainMs: 20 },
  );
  ({ port } = edge);
  t.teardown(async () => {
    await edge.close();
    rmSync(directory, { recursive: true, force: true });
  });
  const commands = await installCommands(install, install.address, 'vigo-token-a.b.c');
  /** The printed command up to the pipe, with what a test changes in it. */
  const fetch = (kind: 'curl' | 'wget', change = (text: string) => text) => {
    const [download = ''] = change(commands[kind]).split(' | ');
    return run('sh', ['-c', download], { maxBuffer: 4_000_000, encoding: 'buffer' });
  };
  return { fetch, commands, directory, base: `https://localhost:${port}`, install };
}

t.test('the printed line fetches a script that every shell understands', async (t) => {
  const { fetch, commands, base } = await serve(t);
  t.match(commands.curl, / \| sudo sh -s -- --token vigo-token-a\.b\.c$/);
  const script = (await fetch('curl')).stdout.toString();
  t.ok(script.includes(`base='${base}'\nserver='localhost:1530'`));
  t.ok(script.includes(`linux-x64 0.1.0 ${program.length} ${sha256} gz\n`.trimEnd()));
  for (const shell of ['dash', 'bash', 'busybox'])
    await t.test(shell, { skip: requires(`command:${shell}`) }, async (t) => {
      const words = shell === 'busybox' ? ['sh', '-n', '-c'] : ['-n', '-c'];
      await t.resolves(run(shell, [...words, script]));
    });
});

t.test('a server with another key is refused before it is heard', async (t) => {
  const { fetch } = await serve(t);
  const wrong = (text: string) =>
    text.replace(/sha256\/\/[^']+/, `sha256//${randomBytes(32).toString('base64')}`);
  for (const kind of ['curl', 'wget'] as const)
    await t.test(kind, { skip: requires(`command:${kind}`) }, async (t) => {
      t.ok((await fetch(kind)).stdout.length > 1000);
      const refused = await fetch(kind, wrong).then(
        () => undefined,
        (error: { code: number; stdout: Buffer }) => error,
      );
      t.ok(refused, 'it fails');
      t.equal(refused?.stdout.length, 0, 'and no byte of the server went into the shell');
    });
});

t.test('the program comes as it lies there, and nothing else of the home does', async (t) => {
  const { fetch, commands } = await serve(t);
  const get = (path: string) =>
    fetch('curl', () => commands.curl.replace(/https:\S+/, (url) => new URL(path, url).href));
  const { stdout } = await get('/agent/vigo-0.1.0-linux-x64.gz');
  t.ok(stdout.equals(gzipSync(program)));
  for (const path of ['vigo-0.2.0-linux-x64.gz', '..%2fkeys%2fadmin-token', 'vigo', ''])
    await t.rejects(get(`/agent/${path}`), path);
});

t.test('broken descriptions are passed over, the newest version wins', async (t) => {
  const { install, directory } = await serve(t, ['0.9.0', '0.10.0', '0.10.0-rc.1']);
  const manifest = { version: '1.0.0', platform: 'linux-x64', bytes: 1, sha256 };
  const write = (name: string, content: unknown) =>
    writeFileSync(join(directory, name), JSON.stringify(content));
  write('vigo-1.0.0-linux-x64.json', manifest);
  t.match(await install.releases(), [{ version: '0.10.0' }], 'its program is not there');
  writeFileSync(join(directory, 'vigo-1.0.0-linux-x64.gz'), '');
  for (const change of [{ sha256: "a'; reboot" }, { version: '2.0.0' }, { bytes: 'x' }]) {
    write('vigo-1.0.0-linux-x64.json', { ...manifest, ...change });
    t.match(await install.releases(), [{ version: '0.10.0' }]);
  }
  writeFileSync(join(directory, 'vigo-1.0.0-linux-x64.json'), '{');
  t.match(await install.releases(), [{ version: '0.10.0' }]);
  write('vigo-1.0.0-linux-x64.json', manifest);
  t.match(await install.releases(), [{ version: '1.0.0', forms: ['gz'] }]);
});

t.test('what a stranger says in Host cannot leave the quotes of the script', async (t) => {
  const pattern = new RegExp(hostPattern);
  fc.assert(fc.property(fc.string(), (host) => !pattern.test(host) || /^[\w.:-]+$/.test(host)));
  const { fetch } = await serve(t);
  for (const host of ["x';reboot;'", '$(reboot)', 'a b', '[::1', '-'.repeat(300)]) {
    const say = (text: string) =>
      text.replace('-fsSk', `-fsSk -H "Host: ${host.replace('$', '\\$')}"`);
    await t.rejects(fetch('curl', say), host);
  }
  const v6 = await fetch('curl', (text) =>
    text.replace('-fsSk', "-fsSk -H 'Host: [fd00::1]:9443'"),
  );
  t.match(v6.stdout.toString(), "base='https://[fd00::1]:9443'\nserver='[fd00::1]:1530'");
});

t.test('versions are ordered as people order them', async (t) => {
  const order = ['0.9.9', '0.10.0-rc.1', '0.10.0-rc.2', '0.10.0', '0.10.1', '1.0.0', '10.0.0'];
  for (const [a, older] of order.entries())
    for (const [b, newer] of order.entries()) t.equal(isNewer(newer, older), b > a);
});

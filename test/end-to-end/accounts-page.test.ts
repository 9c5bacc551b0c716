import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { totpCode, totpStepAt } from '../../actors/accounts/totp.ts';
import { programFile } from '../support/program.ts';
import { requires } from '../support/requires.ts';
import { base32Bytes } from './support/base32.ts';
import { shellWithVigocli } from './support/documented-commands.ts';
import { TestServer } from './support/server-process.ts';

t.setTimeout(180_000);

const page = readFileSync(new URL('../../docs/accounts.md', import.meta.url), 'utf8');
const blocks = (language: string) =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(
    ([, text = '']) => text,
  );

const skip = requires('command:curl', 'command:ssh-keygen');
t.test('docs/accounts.md: its commands, in their order', { skip }, async (t) => {
  const work = mkdtempSync(join(tmpdir(), 'vigo-accounts-page-'));
  t.teardown(() => rmSync(work, { recursive: true, force: true }));
  const server = await TestServer.make(t, { shards: 1 });
  await server.start();
  const shell = shellWithVigocli(work, server.directory);
  const flags = '--disable-warning=ExperimentalWarning';
  const main = programFile('actors/server/main');
  const program = `#!/bin/sh\nexec "${process.execPath}" ${flags} "${main}" "$@"\n`;
  writeFileSync(join(work, 'vigosrv'), program, { mode: 0o755 });
  symlinkSync(process.execPath, join(work, 'node'));
  symlinkSync(join(server.directory, 'tls'), join(work, 'tls'));
  const commands = blocks('sh').flatMap((block) => block.trimEnd().split(/\n(?! )/));
  t.ok(commands.length >= 20);
  let secret = '';
  for (const command of commands) {
    const now = totpCode(base32Bytes(secret), totpStepAt(Date.now()));
    const line = command
      .replaceAll('localhost:8443', `localhost:${server.run?.apiPort}`)
      .replaceAll('123456', now);
    const { code, output } = await shell(line);
    t.equal(code, 0, `${command}\n${output}`);
    t.notMatch(output, /"code": ?"(API|ACCOUNT)_/, command);
    secret = /^ +([A-Z2-7]{32})$/m.exec(output)?.[1] ?? secret;
    if (command.includes('--code')) t.match(output, /^([a-z2-7]{4}-){3}[a-z2-7]{4}$/m);
    if (command.includes('users show ida')) t.match(output, /operator on web-\*/);
    if (command.includes('Authorization')) t.match(output, /"by":"admin:ada"/);
  }
});

t.test('docs/accounts.md: its section of server.yaml has only keys that there are', async (t) => {
  const [text = ''] = blocks('yaml');
  const section = parse(text) as { accounts: Record<string, string> };
  const server = await TestServer.make(t);
  const sample = readFileSync(join(server.directory, 'server.yaml'), 'utf8');
  const own = sample.slice(sample.indexOf('\naccounts:'));
  for (const [key, value] of Object.entries(section.accounts)) {
    t.match(own, `#${key}: ${value}`, 'the default');
  }
});

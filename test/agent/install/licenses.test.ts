import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { exitCodes } from '../../../agent/commands/context.ts';
import { bundleWithFiles } from '../../tools/agent-artefact.ts';
import { agentLicenses } from '../../tools/agent-licenses.ts';
import { CommandMachine } from '../support/command-machine.ts';

const project = new URL('../../..', import.meta.url).pathname;

t.test('whoever passes the program on passes the terms of all its parts on', async (t) => {
  const { files } = await bundleWithFiles();
  const text = agentLicenses(files, process.execPath);
  const packages = files.flatMap(
    (file) => /node_modules\/(@[^/]+\/[^/]+|[^/]+)/.exec(file)?.[1] ?? [],
  );
  t.same(
    [...new Set(packages)],
    ['@bufbuild/protobuf'],
    'more would be news to docs/dependencies.md',
  );
  t.match(
    text,
    /^This program consists of\n {2}Vigo\n {2}@bufbuild\/protobuf [\d.]+, .*\n {2}Node/,
  );
  t.match(text, /Apache License\n +Version 2\.0.*[\s\S]*END OF TERMS AND CONDITIONS/);
  t.match(text, /Copyright 2021-\d+ Buf Technologies[\s\S]*Licensed under the Apache License/);
  t.match(text, /Copyright 2008 Google Inc\.[\s\S]*Redistributions in binary form must reproduce/);
  t.match(text, /Copyright Node\.js contributors[\s\S]*- OpenSSL,/, 'Node, and what is in Node');
});

t.test('no program is built from a part whose terms are not to be found', async (t) => {
  const without = 'node_modules/typescript/package.json';
  const bare = 'node_modules/@bufbuild/protobuf/package.json';
  t.throws(() => agentLicenses([bare], process.execPath), /comes without its licence/);
  t.doesNotThrow(() => agentLicenses([without], process.execPath), 'a file of its own is enough');
  const elsewhere = mkdtempSync(join(tmpdir(), 'vigo-licenses-'));
  t.teardown(() => rmSync(elsewhere, { recursive: true }));
  cpSync(join(project, 'LICENSE'), join(elsewhere, 'LICENSE'));
  const text = agentLicenses([], join(elsewhere, 'bin/node'));
  t.match(
    text,
    /Node\.js is licensed for use/,
    'what lies beside a Node may belong to another thing',
  );
});

t.test('vigo licenses prints them, and says so when there is nothing to print', async (t) => {
  const machine = new CommandMachine();
  t.equal(await machine.run('licenses'), exitCodes.done);
  t.match(machine.output, /is not the single program/);
  machine.licenses = 'the terms\n';
  await machine.run('licenses');
  t.equal(machine.output, 'the terms\n');
  await machine.run('licenses', '--json');
  t.same(JSON.parse(machine.output), { licenses: 'the terms\n' });
  await machine.run('--help');
  t.match(machine.output, /\n {2}licenses +show the licences/);
});

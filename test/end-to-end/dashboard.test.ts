/**
 * What is lost when this fails: a person cannot set the server up, find a machine, see what went
 * wrong, let a publish through or trust the audit log, with a browser and with what they have: a dark
 * room, a phone, a screen reader. Real Chromium, real server, two real agents, and a fleet of 100,000.
 */
import { mkdirSync } from 'node:fs';
import t from 'tap';
import { totpCode, totpStepAt } from '../../actors/accounts/totp.ts';
import type { PublishResult } from '../../actors/publish/messages.ts';
import { makeLargeFleet } from '../support/large-fleet.ts';
import { requires } from '../support/requires.ts';
import { stackOf, TestAgent, writeStack } from './support/agent-process.ts';
import { base32Bytes } from './support/base32.ts';
import { openBrowser } from './support/browser.ts';
import { eventually } from './support/database.ts';
import { checkLooks, Person } from './support/person.ts';
import { rest } from './support/rest.ts';
import { TestServer } from './support/server-process.ts';
import { Browser } from './support/web-client.ts';

t.setTimeout(400_000);
const skip = requires('command:chromium');
const password = 'otter balcony prism 42';
t.test('a day at the dashboard', { skip }, async (t) => {
  const server = await TestServer.make(t, {
    interval: '1s',
    set: [
      'publish.approval=required',
      'publish.stages=web-1',
      'publish.observe=3s',
      'publish.threshold=100',
    ],
  });
  await server.start();
  const browser = await openBrowser();
  t.teardown(() => browser.close());
  const ada = await Person.sitsDown(browser, server);
  const ben = await Person.sitsDown(browser, server);
  /** Ada at a program: what people do outside of the dashboard. */
  const adasProgram = new Browser(server);
  /** Of ben, as ada was told it. */
  let given = '';
  let secret = '';
  let usedStep = 0;

  /** A code of the app; each works once, so a used one is waited out by taking the next. */
  const nextCode = (): string => {
    usedStep = Math.max(usedStep + 1, totpStepAt(Date.now()));
    return totpCode(base32Bytes(secret), usedStep);
  };

  await t.test('first-run setup', async (t) => {
    await ada.goes('/');
    await ada.arrives('Make the first administrator');
    await checkLooks(t, ada, 'setup');
    await ada.setsUp(server, 'ada', password);
    const { status } = await adasProgram.send('POST', '/api/v1/session', { name: 'ada', password });
    t.equal(status, 200);
  });

  await t.test('a second factor, and a login with it', async (t) => {
    await ada.goes('/account');
    await ada.page.locator('#totp-current').fill(password);
    await ada.presses('Set it up');
    const key = ada.page.locator('[data-field="secret"]', { hasText: /[A-Z2-7]{16}/ });
    secret = ((await key.textContent()) ?? '').replaceAll(/\s/g, '');
    await checkLooks(t, ada, 'account');
    await ada.page.locator('#totp-code').fill(nextCode());
    await ada.presses('Turn it on');
    await ada.page.locator('#recovery-codes').waitFor();
    await ada.presses('Log out');
    await ada.arrives('Log in');
    await checkLooks(t, ada, 'login');
    await ada.logsIn('ada', password, nextCode());
    await ada.arrives('Overview');
  });

  const agents = ['web-1', 'web-2'].map((hostname) => new TestAgent(t, hostname));
  const motd = (text: string) => `  - name: motd
    type: file
    target_path: /etc/motd
    content: ${JSON.stringify(text)}
`;
  /** On web-2 a directory is in the way. */
  const blocked = `  - name: issue
    type: file
    target_path: /etc/issue
    content: "welcome\\n"
`;
  const publish = async (resources: string, message: string) => {
    writeStack(server, stackOf(resources));
    return await adasProgram.send('POST', '/api/v1/config/publish', { message });
  };

  await t.test('a second administrator, two machines', async (t) => {
    const made = await adasProgram.send('POST', '/api/v1/users', { name: 'ben', role: 'approver' });
    given = String(made.body.password);
    for (const agent of agents) {
      await agent.enroll(server);
      if (agent.hostname === 'web-2') mkdirSync(agent.at('etc/issue/kept'), { recursive: true });
      agent.start();
    }
    // The first version of all reaches everybody at once; only later ones go in stages.
    writeStack(server, stackOf(motd('hello\n')));
    const first = await rest<PublishResult>(server, 'POST', '/api/v1/config/publish', {});
    await adasProgram.send('POST', '/api/v1/config/approve', {
      contentHash: first.body.contentHash,
      reason: 'to begin with',
    });
    t.ok(await eventually(() => agents.every((agent) => agent.read('/etc/motd') === 'hello\n')));
    await ada.goes('/');
    await ada.page.getByText('converged').first().waitFor();
    await checkLooks(t, ada, 'overview');
  });

  await t.test('a publish, let through by a second person', async (t) => {
    const { body } = await publish(motd('welcome\n') + blocked, 'Greet people');
    t.match(body, { candidate: { author: 'admin:ada' } });
    await ada.goes('/approvals');
    await ada.sees('somebody else has to approve it');
    await ben.logsIn('ben', given);
    await ben.sees('Choose a password of your own');
    await ben.page.locator('#current').fill(given);
    await ben.page.locator('#next').fill(password);
    await ben.presses('Change the password');
    await ben.sees('The password is changed');
    await ben.goes('/approvals');
    await ben.sees('Greet people');
    await checkLooks(t, ben, 'approvals');
    await ben.fills({ 'Why it is right': 'people like to be greeted' });
    await ben.presses('Approve and put in force');
  });

  await t.test('the rollout finishes before his eyes', async (t) => {
    await ben.arrives('Rollout');
    await checkLooks(t, ben, 'rollout-under-way');
    // The page is not loaded again: what happens reaches it as events.
    await ben.page.evaluate('window.sameDocument = true');
    await ben.page.locator('#rollout-title', { hasText: 'completed' }).waitFor();
    t.equal(await ben.page.evaluate('window.sameDocument'), true);
    await checkLooks(t, ben, 'rollout');
  });

  await t.test('what went wrong on a machine that is found by its traits', async (t) => {
    await ada.goes('/envoys');
    await ada.fills({ 'Name, glob, id or trait': 'os.family=debian' });
    await ada.presses('Filter');
    const link = ada.page.getByRole('link', { name: 'web-2', exact: true });
    await link.waitFor();
    await checkLooks(t, ada, 'envoys');
    await link.click();
    await ada.arrives(/web-2/);
    await checkLooks(t, ada, 'envoy');
    const run = ada.page.getByRole('row').filter({ hasText: '1 updated, 1 failed' });
    await run.getByRole('link').first().click();
    await ada.arrives(/^Run /);
    await ada.sees('/etc/issue is a directory that holds something');
    await ada.sees('-hello');
    await ada.sees('+welcome');
    await checkLooks(t, ada, 'run');
  });

  await t.test('the approval stands in the audit log, and the browser proves it', async (t) => {
    await ada.goes('/audit?type=candidate.approved');
    await checkLooks(t, ada, 'audit');
    await ada.page.locator('main table a[href^="/audit/"]').first().click();
    await ada.arrives(/^Entry \d+$/);
    await ada.page.locator('[data-audit-proof][data-found="good"]').waitFor();
    await ada.sees('people like to be greeted');
    await checkLooks(t, ada, 'audit-entry');
  });
});

t.test('one of 100,000', { skip }, async (t) => {
  // Nobody of this fleet ever checks in: it is looked at before it counts as silent.
  const server = await TestServer.make(t, { interval: '30m' });
  const fleet = await makeLargeFleet(server.home.layout.database, 100_000);
  await server.start();
  const browser = await openBrowser();
  t.teardown(() => browser.close());
  const ada = await Person.sitsDown(browser, server);
  await ada.setsUp(server, 'ada', password);
  await checkLooks(t, ada, 'overview-100000');

  await ada.goes('/envoys');
  await ada.sees('100,000');
  await checkLooks(t, ada, 'envoys-100000');
  await ada.fills({ 'Name, glob, id or trait': `dmi.serial=${fleet.serial(77_777)}` });
  await ada.presses('Filter');
  await ada.page.getByRole('link', { name: fleet.hostname(77_777), exact: true }).click();
  await ada.arrives(fleet.hostname(77_777));

  await ada.goes('/envoys?q=os.distro%3Drocky,cloud.region%3Dfra-1&state=failed');
  await ada.page.getByRole('row').nth(1).getByRole('link').first().click();
  await ada.sees('it is not running');
  await ada.sees('+hello');
  await checkLooks(t, ada, 'failed-of-100000');
});

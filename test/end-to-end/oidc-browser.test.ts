/**
 * What is lost when this fails: the button of the login page, or the way from vigocli through the
 * browser, ends before raw JSON or nowhere. Real Chromium, real provider, real server.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import t from 'tap';
import { totpCode, totpStepAt } from '../../actors/accounts/totp.ts';
import { openIdProvider } from '../support/openid-provider.ts';
import { programFile } from '../support/program.ts';
import { requires } from '../support/requires.ts';
import { base32Bytes } from './support/base32.ts';
import { openBrowser } from './support/browser.ts';
import { eventually } from './support/database.ts';
import { serverWithProvider } from './support/oidc-server.ts';
import { checkLooks, Person } from './support/person.ts';
import { Browser } from './support/web-client.ts';

t.setTimeout(180_000);
const skip = requires('command:chromium');
const password = 'otter balcony prism 42';

t.test('login by an OpenID provider, at a browser', { skip }, async (t) => {
  const people = { ada: { preferred_username: 'ada', groups: ['ops'] } };
  const callbacks: string[] = [];
  const provider = await openIdProvider(t, people, callbacks);
  const { server, work } = await serverWithProvider(t, provider.issuer, [
    'oidc.default_role=viewer',
    'oidc.label=Example staff',
  ]);
  await server.start();
  const origin = `localhost:${server.run?.apiPort}`;
  callbacks.push(`https://${origin}/api/v1/login/oidc/callback`);
  const browser = await openBrowser();
  t.teardown(() => browser.close());
  const ada = await Person.sitsDown(browser, server);
  await ada.setsUp(server, 'ada', password);
  await ada.presses('Log out');
  await ada.arrives('Log in');

  const adasProgram = new Browser(server);
  await adasProgram.send('POST', '/api/v1/session', { name: 'ada', password });
  const begun = await adasProgram.send('POST', '/api/v1/account/totp', { current: password });
  const secret = base32Bytes(String(begun.body.secret));
  const step = totpStepAt(Date.now());
  const confirmed = await adasProgram.send('POST', '/api/v1/account/totp/confirm', {
    code: totpCode(secret, step),
  });
  const codes = confirmed.body.recoveryCodes as string[];
  const link = { subject: 'ada' };
  const linked = await adasProgram.send('POST', '/api/v1/users/ada/identities', link);
  t.equal(linked.status, 200, JSON.stringify(linked.body));

  /** What the provider asks in this browser; it knows her afterwards. */
  const atProvider = async () => {
    await ada.page.locator('input[name="login"]').fill('ada');
    await ada.page.locator('input[name="password"]').fill('any');
    await ada.page.locator('button[type="submit"]').click();
    await ada.page.getByRole('button', { name: 'Continue' }).click();
  };

  await t.test('the button leads to the provider, back to a code, and in', async (t) => {
    await ada.goes('/login?next=/envoys');
    await checkLooks(t, ada, 'login-with-provider');
    await ada.page.getByRole('link', { name: 'Log in with Example staff' }).click();
    await atProvider();
    await ada.page.getByLabel('Code', { exact: true }).waitFor();
    // What the provider's own pages complain of.
    ada.complaints.splice(0);
    await checkLooks(t, ada, 'second-factor');
    await ada.fills({ Code: codes.pop() ?? '' });
    await ada.presses('Log in');
    await ada.arrives('Envoys');
    await ada.presses('Log out');
    await ada.arrives('Log in');
    ada.complaints.splice(0);
  });

  await t.test('vigocli waits for the browser, and asks for the code itself', async (t) => {
    const words = ['--server', origin, '--ca-file', server.home.layout.caCertificate];
    const login = ['auth', 'login', '--oidc', '--code', codes.pop() ?? ''];
    const child = spawn(process.execPath, [programFile('admin/cli/main'), ...words, ...login], {
      env: { PATH: process.env.PATH ?? '', HOME: work },
    });
    let printed = '';
    const take = (chunk: Buffer) => {
      printed += chunk.toString();
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    const ended = once(child, 'close');
    const complete = /(https:\/\/\S+)[\s\S]*must show {2}(\S+)/;
    t.ok(await eventually(() => complete.test(printed) || child.exitCode !== null), printed);
    const [, address = '', compared = ''] = complete.exec(printed) ?? [];
    await ada.page.goto(address);
    await ada.arrives('Log vigocli in?');
    await ada.sees(compared);
    await checkLooks(t, ada, 'program-login');
    await ada.page.getByRole('link', { name: 'It shows the same: log it in' }).click();
    await ada.arrives('Back to vigocli');
    await ended;
    t.match(printed, /You are ada at/);
  });
});

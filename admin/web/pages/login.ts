import { Type } from 'typebox';
import { nothing, object } from '../../api/schemas.ts';
import { icon } from '../components/icon.ts';
import { keyLoginScript } from '../components/key-login.ts';
import { secondFactorForm } from '../components/second-factor.ts';
import { type Html, html } from '../html.ts';
import { page, redirect } from '../page.ts';
import { localPath, pathTo } from '../path.ts';

interface Setup {
  readonly needed: boolean;
}

/** As GET /api/v1/login/methods tells it. */
interface Methods {
  readonly key: boolean;
  /** What the OpenID provider is called; null: there is none. */
  readonly oidc: string | null;
}

const login = page({
  path: '/login',
  summary: 'Log in',
  access: 'public',
  parameters: nothing,
  query: object({ next: Type.Optional(Type.String({ maxLength: 2000 })) }),
  render: async ({ query, read }) => {
    const { needed } = await read<Setup>('/api/v1/setup');
    if (needed) return redirect('/setup');
    const methods = await read<Methods>('/api/v1/login/methods');
    const next = localPath(query.next);
    return {
      title: 'Log in',
      body: html`${passwordForm(next, methods)}${secondFactorForm(next)}${methods.key && keyLoginScript()}`,
    };
  },
});

function passwordForm(next: string, { key, oidc }: Methods): Html {
  return html`<form class="panel" data-api="POST /api/v1/session" data-then="${next}" data-step="challenge:second-factor">
    <div class="field"><label for="name">Name</label>
      <input id="name" name="name" required maxlength="63" autocomplete="username" autofocus autocapitalize="none" spellcheck="false"></div>
    <div class="field"><label for="password">Password</label>
      <input id="password" name="password" type="password" required maxlength="1000" autocomplete="current-password"></div>
    <p class="form-error" data-error role="alert"></p>
    <button class="button primary">Log in</button>
    ${key && html`<button type="button" class="button" data-key-login data-then="${next}" hidden>${icon('key')} Log in with the key of this browser</button>`}
    ${oidc !== null && html`<p class="or">or</p><a class="button wide" href="${pathTo('/api/v1/login/oidc', { next })}">Log in with ${oidc}</a>`}
  </form>`;
}

const setup = page({
  path: '/setup',
  summary: 'Make the first administrator',
  access: 'public',
  parameters: nothing,
  query: nothing,
  render: async ({ read }) => {
    const { needed } = await read<Setup>('/api/v1/setup');
    if (!needed) return redirect('/login');
    return { title: 'Make the first administrator', body: setupForm() };
  },
});

function setupForm(): Html {
  return html`<p>This server has no accounts yet. Its console showed a code when it started;
    whoever has it becomes the first administrator.</p>
  <form class="panel" data-api="POST /api/v1/setup" data-then="/">
    <div class="field"><label for="code">Code of the console</label>
      <input id="code" name="code" class="mono" required maxlength="100" autofocus autocomplete="off" autocapitalize="characters" spellcheck="false" aria-describedby="code-hint">
      <span class="hint" id="code-hint">Not on the screen any more? <code>vigosrv setup-code</code> on the
        server shows it.</span></div>
    <div class="field"><label for="name">Name</label>
      <input id="name" name="name" required maxlength="63" autocomplete="username" autocapitalize="none" spellcheck="false" aria-describedby="name-hint">
      <span class="hint" id="name-hint">The audit log names you by it.</span></div>
    <div class="field"><label for="displayName">Full name</label>
      <input id="displayName" name="displayName" maxlength="200" autocomplete="name"></div>
    <div class="field"><label for="password">Password</label>
      <input id="password" name="password" type="password" required minlength="12" maxlength="1000" autocomplete="new-password" aria-describedby="password-hint">
      <span class="hint" id="password-hint">12 characters or more;
        a few words that nobody would put together are best.</span></div>
    <p class="form-error" data-error role="alert"></p>
    <button class="button primary">Begin</button>
  </form>`;
}

export const loginPages = [login, setup];

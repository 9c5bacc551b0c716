import { Type } from 'typebox';
import { nothing, object } from '../../api/schemas.ts';
import { html } from '../html.ts';
import { page } from '../page.ts';
import { localPath } from '../path.ts';

export const loginPages = [
  page({
    path: '/login',
    summary: 'Log in',
    access: 'public',
    parameters: nothing,
    query: object({ next: Type.Optional(Type.String({ maxLength: 2000 })) }),
    render: ({ query }) => ({
      title: 'Log in',
      body: html`<form data-api="POST /api/v1/auth/login" data-then="${localPath(query.next)}">
        <div class="field"><label for="name">Name</label>
          <input id="name" name="name" required autocomplete="username" autofocus autocapitalize="none" spellcheck="false"></div>
        <div class="field"><label for="password">Password</label>
          <input id="password" name="password" type="password" required autocomplete="current-password"></div>
        <p class="form-error" data-error role="alert"></p>
        <button class="button primary">Log in</button>
      </form>`,
    }),
  }),
];

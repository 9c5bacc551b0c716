import { nothing } from '../../../api/schemas.ts';
import { icon } from '../../components/icon.ts';
import { panel } from '../../components/panel.ts';
import { type Html, html } from '../../html.ts';
import { page } from '../../page.ts';

/** How one runs something on machines today; tasks and workflows have no part in the server yet. */
export const workPage = page({
  path: '/work',
  summary: 'Tasks and workflows',
  access: 'envoys.read',
  parameters: nothing,
  query: nothing,
  render: async () => ({
    title: 'Tasks and workflows',
    body: html`<div class="callout state-notice">
        <p><strong>This server runs no tasks and no workflows of its own.</strong>
        Whatever changes a machine goes through its policy: checked, planned, approved,
        rolled out, written down.</p></div>
      <div class="columns">
        ${panel({ title: 'Once, on some machines', body: once() })}
        ${panel({ title: 'In an order', body: inOrder() })}
        ${panel({ title: 'At a time', body: atTime() })}
      </div>
      <p class="muted">${icon('info')} Tasks and workflows will stand here when the server has them.
        docs/policy.md tells of all of the above.</p>`,
  }),
});

function once(): Html {
  return html`<p>An <code>exec</code> resource runs a command until its <code>creates</code> or <code>unless</code> says that it
      was done. A <code>when:</code> or an entry of the stack says on which machines.</p>
    ${example(
      'a command that runs once',
      `- name: rebuild-index
  type: exec
  command: /usr/local/bin/rebuild-index
  creates: /var/lib/index/v7`,
    )}
    <p>What it would do: <a href="/plans">plan it</a>. How it went: <a href="/runs">runs</a>.</p>`;
}

function inOrder(): Html {
  return html`<p><code>depends_on</code> orders resources on a machine, <code>notify</code> and <code>subscribes</code> make one act
      because another changed.</p>
    <p>From machine to machine, a publish with stages goes on only while those before are healthy:</p>
    ${example('a publish in stages', 'vigocli config publish -m "index v7" --stages "canary-*,25%" --observe 10m')}
    <p>Watch it, pause it, take it back: <a href="/rollout">rollout</a>.</p>`;
}

function atTime(): Html {
  return html`<p>A <code>cron</code> resource makes the machine itself run something at a time, also while the server is away.</p>
    <p>When nothing may be published: <a href="/policy">freeze</a>, or <code>freeze_windows</code> in server.yaml.</p>`;
}

function example(label: string, text: string): Html {
  return html`<pre class="diff" tabindex="0" role="region" aria-label="Example: ${label}"><code class="example">${text}</code></pre>`;
}

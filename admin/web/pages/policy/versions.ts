import { Type } from 'typebox';
import type { PublishStatus } from '../../../../actors/publish/messages.ts';
import type { PolicyVersionView } from '../../../api/backend.ts';
import { nothing, object } from '../../../api/schemas.ts';
import { emptyState } from '../../components/empty-state.ts';
import { facts } from '../../components/facts.ts';
import { shortHash } from '../../components/hash.ts';
import { live } from '../../components/live.ts';
import { plural } from '../../components/numbers.ts';
import { pagination } from '../../components/pagination.ts';
import { badge } from '../../components/state-badge.ts';
import { table } from '../../components/table.ts';
import { timeAgo } from '../../components/time.ts';
import { type Html, html } from '../../html.ts';
import { page } from '../../page.ts';
import { pathTo } from '../../path.ts';
import { policyEvents } from './events.ts';
import { freezeButton, freezeDialogs, freezeNotice } from './freeze.ts';
import { originWords, personOf, versionLink } from './words.ts';

const shownFirst = 50;
const shownMax = 500;

/** What is live, what holds it up, and every version that there was. */
export const versionsPage = page({
  path: '/policy',
  summary: 'Policy versions',
  access: 'config.read',
  parameters: nothing,
  query: object({ limit: Type.Optional(Type.Integer({ minimum: 1, maximum: shownMax })) }),
  shared: true,
  render: async ({ read, query, asker, nowMs }) => {
    const limit = query.limit ?? shownFirst;
    const status = await read<PublishStatus>('/api/v1/config/status');
    const history = await read<{ items: readonly PolicyVersionView[] }>('/api/v1/config/history', {
      limit,
    });
    return {
      title: 'Policy',
      listen: { types: policyEvents },
      actions: html`<a class="button" href="/policy/compare">Compare</a>${freezeButton(status.freeze, asker)}`,
      body: html`${live({
        id: 'versions',
        path: pathTo('/policy', query),
        body: html`${freezeNotice(status.freeze)}${waitingNotice(status)}${livePanel(status, nowMs)}
          ${versionTable(history.items, status.version, nowMs)}
          ${more(history.items, limit)}`,
      })}${freezeDialogs(asker)}`,
    };
  },
});

function waitingNotice({ candidate, rollout }: PublishStatus): Html {
  const isUnderWay = rollout?.status === 'watching' || rollout?.status === 'paused';
  return html`${
    candidate &&
    html`<div class="callout state-notice" role="status"><p><strong>A candidate waits for approval</strong>:
      ${candidate.message || 'no message'} (${personOf(candidate.author)}).
      <a href="/approvals">Look at it</a></p></div>`
  }${
    isUnderWay &&
    html`<div class="callout state-notice" role="status">
      <p><strong>Version ${rollout.version} is being rolled out</strong>,
      stage ${rollout.stage + 1} of ${rollout.stages.length}, ${rollout.status}.
      <a href="/rollout">Watch it</a></p></div>`
  }`;
}

function livePanel(status: PublishStatus, nowMs: number): Html {
  const { version, publishedAtMs, publishedBy, message, origin, contentHash } = status;
  if (version === 0) {
    return emptyState({
      icon: 'layers',
      title: 'Nothing is published yet',
      text: 'Put a stack into the server’s stack directory and run: vigocli config publish -m "the beginning".',
    });
  }
  return html`<section class="panel" aria-labelledby="live-version">
    <div class="panel-head"><h2 id="live-version">Live: ${versionLink(version)}</h2>
      <span class="muted small">${status.approvalRequired ? 'publishes need a second person' : 'publishes need no approval'}</span></div>
    ${facts([
      ['Why', message || html`<span class="muted">no message</span>`],
      ['Who', html`${personOf(publishedBy)}, ${timeAgo(publishedAtMs, nowMs)}`],
      ['How', originWords(origin)],
      ['Content', shortHash(contentHash)],
    ])}
  </section>`;
}

function versionTable(
  items: readonly PolicyVersionView[],
  liveVersion: number,
  nowMs: number,
): Html {
  if (items.length === 0) return html``;
  return table({
    caption: 'Policy versions, newest first',
    main: true,
    rows: items,
    rowId: ({ version }) => `version-${version}`,
    columns: [
      {
        label: 'Version',
        cell: ({ version }) =>
          html`<a class="cell-main" href="/policy/${version}">${version}</a> ${
            version === liveVersion && badge('live', 'good')
          }`,
      },
      { label: 'Message', cell: ({ message }) => message || html`<span class="muted">-</span>` },
      { label: 'Who', cell: ({ publishedBy }) => personOf(publishedBy) },
      { label: 'When', cell: ({ publishedAtMs }) => timeAgo(publishedAtMs, nowMs) },
      { label: 'How', cell: ({ origin }) => originWords(origin) },
      { label: 'Approved by', cell: ({ approval }) => approval && personOf(approval.by) },
      {
        label: 'Changed',
        number: true,
        cell: ({ changedEnvoys }) => plural(changedEnvoys, 'envoy'),
      },
    ],
  });
}

function more(items: readonly PolicyVersionView[], limit: number): Html | undefined {
  if (items.length < limit || limit >= shownMax) {
    return html`<p class="muted small">${plural(items.length, 'version')}</p>`;
  }
  const nextPath = pathTo('/policy', { limit: Math.min(limit * 2, shownMax) });
  return pagination({ shown: `the newest ${items.length}`, nextPath });
}

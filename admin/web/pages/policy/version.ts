import { Type } from 'typebox';
import type { PublishStatus } from '../../../../actors/publish/messages.ts';
import type { PolicyVersionView } from '../../../api/backend.ts';
import { object } from '../../../api/schemas.ts';
import { actionForm, choiceField, fixedField, textField } from '../../components/action-form.ts';
import { dialog } from '../../components/dialog.ts';
import { facts } from '../../components/facts.ts';
import { icon } from '../../components/icon.ts';
import { plural } from '../../components/numbers.ts';
import { partOf, Refused, refusedNote } from '../../components/refused.ts';
import { badge } from '../../components/state-badge.ts';
import { timeAt } from '../../components/time.ts';
import { type Html, html } from '../../html.ts';
import { may } from '../../may.ts';
import { page } from '../../page.ts';
import { readComparison } from './compare.ts';
import { comparisonView } from './comparison.ts';
import { originWords, personOf } from './words.ts';

/** Versions that a form offers to compare with. */
const offeredMost = 50;

/** One version: who, when, why, what was checked, and what it changed. */
export const versionPage = page({
  path: '/policy/{version}',
  summary: 'A policy version',
  access: 'config.read',
  parameters: object({ version: Type.Integer({ minimum: 1 }) }),
  query: object({ from: Type.Optional(Type.Integer({ minimum: 1 })) }),
  render: async ({ read, parameters, query, asker }) => {
    const { version } = parameters;
    const found = await read<PolicyVersionView>(`/api/v1/config/versions/${version}`);
    const { version: liveVersion } = await read<PublishStatus>('/api/v1/config/status');
    const from = query.from ?? version - 1;
    const comparison =
      from < 1 ? undefined : await partOf(readComparison(read, String(from), String(version)));
    const canReturn = may(asker, 'config.publish') && version !== liveVersion;
    return {
      title: `Version ${version}`,
      crumbs: [{ label: 'Policy', path: '/policy' }],
      actions: html`${around(version, liveVersion)}${
        canReturn &&
        html`<button type="button" class="button" data-dialog="return">${icon('refresh')} Bring it back</button>`
      }`,
      body: html`${about(found, version === liveVersion)}
        ${from < 1 ? html`<p class="muted">There is no version before it to compare with.</p>` : compareForm(version, from)}
        ${
          comparison !== undefined &&
          (comparison instanceof Refused ? refusedNote(comparison) : comparisonView(comparison))
        }
        ${canReturn && returnDialog(version, liveVersion)}`,
    };
  },
});

function around(version: number, liveVersion: number): Html {
  return html`${
    version > 1 &&
    html`<a class="button" rel="prev" href="/policy/${version - 1}">${icon('left')} ${version - 1}</a>`
  }${
    version < liveVersion &&
    html`<a class="button" rel="next" href="/policy/${version + 1}">${version + 1} ${icon('right')}</a>`
  }`;
}

function about(found: PolicyVersionView, isLive: boolean): Html {
  const { counts, approval, planId } = found;
  const checked =
    counts &&
    html`${plural(counts.modules, 'module')}, ${plural(counts.resources, 'resource')}, ${plural(
      counts.entries,
      'entry',
    ).replace('entrys', 'entries')}: no error. Compiled to ${plural(counts.bundles, 'bundle')}.`;
  return html`<section class="panel"><div class="columns">
    <div><h2>${found.message || 'No message'} ${isLive && badge('live', 'good')}</h2>
    ${facts([
      ['Who', personOf(found.publishedBy)],
      ['When', timeAt(found.publishedAtMs)],
      ['How', originWords(found.origin)],
      [
        'Approved',
        approval &&
          html`${personOf(approval.by)}, ${timeAt(approval.atMs)}${approval.reason && `: ${approval.reason}`}`,
      ],
    ])}</div>
    <div>${facts([
      ['Checks', checked],
      [
        'Changed',
        `${plural(found.changedEnvoys, 'envoy')}${counts ? ` of ${counts.totalEnvoys.toLocaleString('en-US')}` : ''}`,
      ],
      ['Plan', planId && html`<a href="/plans/${planId}">${planId.slice(0, 8)}</a>`],
      ['Content', html`<code>${found.contentHash}</code>`],
    ])}</div>
  </div></section>`;
}

function compareForm(version: number, from: number): Html {
  const first = Math.max(1, version - offeredMost);
  const others = Array.from({ length: version - first }, (_, at) => version - 1 - at);
  if (!others.includes(from) && from !== version) others.push(from);
  return html`<form class="filters" action="/policy/${version}">
    ${choiceField({
      id: 'compare-from',
      name: 'from',
      label: 'Compared with',
      value: String(from),
      options: others.map((each) => [String(each), `version ${each}`] as const),
    })}
    <button class="button">Compare</button>
  </form>`;
}

function returnDialog(version: number, liveVersion: number): Html {
  return dialog({
    id: 'return',
    title: `Bring version ${version} back`,
    body: html`<p>Its stack becomes live again, as a new version.
        It works during a freeze and can itself be rolled back.</p>
      ${actionForm({
        api: 'POST /api/v1/config/rollback',
        submit: `Make version ${version} live`,
        look: 'danger',
        next: '/policy',
        done: `Version ${version} is live again`,
        fields: html`${fixedField('version', version)}${fixedField('expectedVersion', liveVersion)}
          ${textField({ id: 'return-why', name: 'message', label: 'Why', required: true })}`,
      })}`,
  });
}

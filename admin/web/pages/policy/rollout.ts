import { Type } from 'typebox';
import type { PublishStatus } from '../../../../actors/publish/messages.ts';
import type { RolloutStatus, RolloutView } from '../../../../actors/rollout/messages.ts';
import type { Principal } from '../../../api/authenticate.ts';
import type { AuditView, Page } from '../../../api/backend.ts';
import { nothing, object } from '../../../api/schemas.ts';
import { numberText, shareText } from '../../charts/scale.ts';
import { rolloutHealthBar, type Stage, stageSteps } from '../../charts/stages.ts';
import { actionForm, textField } from '../../components/action-form.ts';
import { dialog } from '../../components/dialog.ts';
import { emptyState } from '../../components/empty-state.ts';
import { facts } from '../../components/facts.ts';
import { live } from '../../components/live.ts';
import { plural } from '../../components/numbers.ts';
import { badge, type StateTone } from '../../components/state-badge.ts';
import { duration, timeAgo, timeAt } from '../../components/time.ts';
import { type Html, html } from '../../html.ts';
import { may } from '../../may.ts';
import { page, redirect } from '../../page.ts';
import { part } from '../../path.ts';
import { policyEvents } from './events.ts';
import { freezeNotice } from './freeze.ts';
import { personOf, versionLink } from './words.ts';

const looks: Readonly<Record<RolloutStatus, StateTone>> = {
  watching: 'notice',
  paused: 'warning',
  completed: 'good',
  'rolled-back': 'bad',
  ended: 'away',
};
const stepsMax = 50;
/** Health is of the envoys, so it moves with their runs. */
const rolloutEvents = [
  ...policyEvents,
  'rollout.stage_passed',
  'rollout.stopped',
  'run.finished',
  'envoy.state',
  'envoys.many',
];

/** The rollout under way, as it goes, with what a person may order. */
export const rolloutPage = page({
  path: '/rollout',
  summary: 'Rollout',
  access: 'config.read',
  parameters: nothing,
  /** `of`: the version that somebody just put in force. */
  query: object({ of: Type.Optional(Type.Integer({ minimum: 1 })) }),
  shared: true,
  render: async ({ read, asker, nowMs, query }) => {
    const { rollout } = await read<{ rollout: RolloutView | null }>('/api/v1/config/rollout');
    // It reached everybody at once: there is nothing to watch here, and the version tells the rest.
    if (query.of !== undefined && rollout?.version !== query.of) {
      return redirect(`/policy/${query.of}`);
    }
    const { freeze } = await read<PublishStatus>('/api/v1/config/status');
    const steps = rollout === null ? [] : await stepsOf(read, rollout.version);
    return {
      title: 'Rollout',
      listen: { types: rolloutEvents },
      body: html`${live({
        id: 'rollout',
        path: '/rollout',
        body: html`${freezeNotice(freeze)}${rollout === null ? noRollout() : about(rollout, asker, nowMs)}${stepList(steps, nowMs)}`,
      })}${rollout !== null && may(asker, 'rollout.control') && orderDialogs(rollout)}`,
    };
  },
});

async function stepsOf(
  read: <T>(path: string, query: Record<string, string | number>) => Promise<T>,
  version: number,
): Promise<readonly AuditView[]> {
  const query = { newest: 'true', type: 'rollout.*', limit: stepsMax };
  const { items } = await read<Page<AuditView>>('/api/v1/audit', query);
  return items
    .filter(({ details, subject }) => details.version === version || subject === String(version))
    .toReversed();
}

function noRollout(): Html {
  return emptyState({
    icon: 'rollout',
    title: 'There was no rollout yet',
    text: 'A publish with stages, or with a time of watching, goes through the fleet step by step: vigocli config publish -m "carefully" --stages 5%,25% --observe 10m.',
  });
}

function about(rollout: RolloutView, asker: Principal, nowMs: number): Html {
  const { version, status, health, stages, reason } = rollout;
  return html`<section class="panel" aria-labelledby="rollout-title">
    <div class="panel-head"><h2 id="rollout-title"><a href="/policy/${version}">Version ${version}</a> ${badge(status, looks[status])}</h2>
      <span class="page-actions">${orderButtons(rollout, asker)}</span></div>
    ${reason !== '' && html`<p class="callout state-${looks[status]}">${reason}</p>`}
    ${
      stages.length > 0 &&
      stageSteps(
        'stages',
        stages.map((label, at) => stageOf(rollout, label, at, nowMs)),
      )
    }
    ${health && rolloutHealthBar('health', health)}
  </section>
  <div class="columns">
    <section class="panel"><h2>Now</h2>${facts([
      ['Reached', health && plural(health.reached, 'envoy')],
      ['Failing', health && (health.sample.length === 0 ? 'none' : failingHosts(health.sample))],
      [
        'Fleet',
        health &&
          html`${numberText(health.fleet.converged)} of ${plural(health.fleet.online, 'connected envoy')} converged (${shareText(health.fleet.converged, health.fleet.online)})`,
      ],
      ['Started', timeAgo(rollout.startedAtMs, nowMs)],
      ['Ended', rollout.endedAtMs === undefined ? undefined : timeAgo(rollout.endedAtMs, nowMs)],
    ])}</section>
    <section class="panel"><h2>Rules</h2>${facts([
      ['Watched', rollout.observeMs > 0 ? `each stage for ${duration(rollout.observeMs)}` : 'no'],
      ['May fail', `${percent(rollout.threshold)} of the envoys reached`],
      [
        'Converged',
        rollout.leastConverged > 0
          ? `at least ${percent(rollout.leastConverged)} of the connected fleet`
          : undefined,
      ],
      [
        'Otherwise',
        rollout.onFailure === 'pause'
          ? 'it pauses'
          : html`${versionLink(rollout.lastGoodVersion)} comes back by itself`,
      ],
    ])}</section>
  </div>`;
}

const percent = (share: number) => `${Math.round(share * 1000) / 10} %`;

function failingHosts(names: readonly string[]): Html {
  return html`<span>${names.map(
    (name, at) => html`${at > 0 && ', '}<a href="/envoys/${part(name)}">${name}</a>`,
  )}</span>`;
}

function stageOf(rollout: RolloutView, label: string, at: number, nowMs: number): Stage {
  const { stage, status, stageStartedAtMs } = rollout;
  if (at < stage || status === 'completed') return { label, state: 'done' };
  if (at > stage) return { label, state: 'waiting' };
  if (status === 'rolled-back' || status === 'ended') return { label, state: 'stopped' };
  const since = `for ${duration(Math.max(0, nowMs - stageStartedAtMs))}`;
  return { label, state: 'current', note: status === 'paused' ? `paused, ${since}` : since };
}

const orders = {
  pause: {
    label: 'Pause',
    text: 'No further stage begins. A failure still brings the last good version back.',
    look: 'primary',
  },
  resume: { label: 'Resume', text: 'It goes on with the stage where it stands.', look: 'primary' },
  finish: {
    label: 'Finish',
    text: 'Every envoy gets the version at once, and nobody watches any more.',
    look: 'primary',
  },
  abort: {
    label: 'Abort',
    text: 'The last good version comes back to every envoy, as a new version.',
    look: 'danger',
  },
} as const;

type Order = keyof typeof orders;

function ordersOf({ status }: RolloutView): readonly Order[] {
  if (status === 'watching') return ['pause', 'finish', 'abort'];
  return status === 'paused' ? ['resume', 'finish', 'abort'] : [];
}

function orderButtons(rollout: RolloutView, asker: Principal): Html | undefined {
  if (!may(asker, 'rollout.control')) return undefined;
  return html`${ordersOf(rollout).map(
    (order) =>
      html`<button type="button" class="button${orders[order].look === 'danger' && ' danger'}" data-dialog="order-${order}">${orders[order].label}</button>`,
  )}`;
}

/** All four: the buttons change while the page stands. */
function orderDialogs({ version }: RolloutView): Html {
  return html`${(Object.keys(orders) as Order[]).map((order) => {
    const { label, text, look } = orders[order];
    return dialog({
      id: `order-${order}`,
      title: `${label} the rollout of version ${version}`,
      body: html`<p>${text}</p>${actionForm({
        api: `POST /api/v1/config/rollout/${order}`,
        submit: label,
        look,
        fields: textField({
          id: `order-${order}-why`,
          name: 'reason',
          label: 'Why',
          required: true,
        }),
      })}`,
    });
  })}`;
}

function stepList(steps: readonly AuditView[], nowMs: number): Html | undefined {
  if (steps.length === 0) return undefined;
  return html`<section class="panel" aria-labelledby="steps"><h2 id="steps">Steps</h2>
    <ol class="list">${steps.map(
      ({ sequence, type, actor, atMs, details }) =>
        html`<li><a href="/audit/${sequence}">${type.slice('rollout.'.length).replaceAll('_', ' ')}</a>${typeof details.stage === 'number' && html` <span class="muted">stage ${details.stage}</span>`}
          <span class="muted">${personOf(actor)}${reasonOf(details.reason)}</span>
          <span class="muted">${nowMs - atMs < 86_400_000 ? timeAgo(atMs, nowMs) : timeAt(atMs)}</span></li>`,
    )}</ol></section>`;
}

function reasonOf(reason: unknown): string {
  return typeof reason === 'string' && reason !== '' ? `: ${reason}` : '';
}

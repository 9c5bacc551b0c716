import type {
  ReleaseList,
  ReleaseRolloutView,
  ReleaseView,
} from '../../../../actors/releases/messages.ts';
import type { Principal } from '../../../api/authenticate.ts';
import type { AgentVersionCount } from '../../../api/backend.ts';
import { nothing } from '../../../api/schemas.ts';
import { barTable, segmentedBar } from '../../charts/parts.ts';
import { actionForm, textField } from '../../components/action-form.ts';
import { dialog } from '../../components/dialog.ts';
import { facts } from '../../components/facts.ts';
import { live } from '../../components/live.ts';
import { count } from '../../components/numbers.ts';
import { panel } from '../../components/panel.ts';
import { badge, type StateTone } from '../../components/state-badge.ts';
import { table } from '../../components/table.ts';
import { duration, timeAgo } from '../../components/time.ts';
import { type Html, html } from '../../html.ts';
import { may } from '../../may.ts';
import { page } from '../../page.ts';
import { personOf } from '../policy/words.ts';
import { bytes } from '../server/bytes.ts';

const events = [
  'release.added',
  'release.removed',
  'release.rollout_started',
  'release.rollout_changed',
  'release.rollout_paused',
  'release.rollout_resumed',
  'release.rollout_stopped',
  'release.rollout_returned',
  'update.accepted',
  'update.failed',
  'update.returned',
];
const looks: Readonly<Record<ReleaseRolloutView['status'], StateTone>> = {
  running: 'notice',
  paused: 'warning',
  stopped: 'away',
};

type Releases = ReleaseList & { readonly fleet: readonly AgentVersionCount[] };

/** Versions of the agent: which there are, which the fleet runs, and the one on its way. */
export const releasesPage = page({
  path: '/releases',
  summary: 'Agent releases',
  access: 'releases.read',
  parameters: nothing,
  query: nothing,
  render: async ({ read, asker, nowMs }) => {
    const releases = await read<Releases>('/api/v1/releases');
    const { rollout } = releases;
    return {
      title: 'Agent releases',
      listen: { types: events },
      body: html`${live({
        id: 'releases',
        path: '/releases',
        body: html`${rollout && rolloutPanel(rollout, releases.fleet, asker, nowMs)}
          ${fleetPanel(releases.fleet, rollout)}${releaseList(releases.items, nowMs)}`,
      })}${may(asker, 'releases.manage') && orderDialogs()}`,
    };
  },
});

function rolloutPanel(
  rollout: ReleaseRolloutView,
  fleet: readonly AgentVersionCount[],
  asker: Principal,
  nowMs: number,
): Html {
  const { version, status, percent, match, failures, maxFailures, reason } = rollout;
  return panel({
    title: `Rollout of ${version}`,
    aside: orderButtons(rollout, asker),
    body: html`<p>${badge(status, looks[status])} ${reason}</p>
      ${progress(version, fleet)}
      ${facts([
        ['To', `${percent} % of the fleet${match.length > 0 ? `, and ${match.join(', ')}` : ''}`],
        ['Failed', `${count(failures)} of ${count(maxFailures)} that may`],
        [
          'Trial',
          `${count(rollout.trialCheckIns)} check-ins within ${duration(rollout.trialSeconds * 1000)}`,
        ],
        [
          'Ordered',
          html`by ${personOf(rollout.changedBy)}, ${timeAgo(rollout.changedAtMs, nowMs)}`,
        ],
      ])}`,
  });
}

function progress(version: string, fleet: readonly AgentVersionCount[]): Html {
  const sum = (value: (each: AgentVersionCount) => number) =>
    fleet.reduce((total, each) => total + value(each), 0);
  const there = fleet.find((each) => each.version === version)?.envoys ?? 0;
  const updating = sum((each) => each.updating);
  const failed = sum((each) => each.failed);
  const others = Math.max(0, sum(({ envoys }) => envoys) - there - updating - failed);
  return segmentedBar({
    id: 'release-progress',
    title: 'The fleet',
    description: `${there} envoys run ${version}, ${updating} are on their way, ${failed} did not get there, ${others} run another version.`,
    parts: [
      { label: `run ${version}`, tone: 'good', value: there },
      { label: 'on their way', tone: 'notice', value: updating },
      { label: 'did not get there', tone: 'bad', value: failed },
      { label: 'other versions', tone: 'unknown', value: others },
    ],
  });
}

function fleetPanel(
  fleet: readonly AgentVersionCount[],
  rollout: ReleaseRolloutView | undefined,
): Html {
  return panel({
    title: 'What the fleet runs',
    body:
      fleet.length === 0
        ? html`<p class="muted">No envoy is enrolled.</p>`
        : barTable({
            caption: 'Envoys by version of the agent',
            labelHeading: 'Version',
            valueHeading: 'Envoys',
            rows: fleet.map(({ version, envoys }) => ({
              label: version,
              value: envoys,
              tone: version === rollout?.version ? 'good' : 'one',
            })),
          }),
  });
}

function releaseList(items: readonly ReleaseView[], nowMs: number): Html {
  return table({
    caption: 'Releases, newest first',
    empty: {
      icon: 'tag',
      title: 'No release was added yet',
      text: 'A build of the agent is added with: vigocli releases add vigo --release 0.2.0 --platform linux-x64.',
    },
    main: true,
    rows: items,
    columns: [
      { label: 'Version', cell: ({ version }) => html`<span class="cell-main">${version}</span>` },
      { label: 'Platform', cell: ({ platform }) => html`<span class="tag">${platform}</span>` },
      { label: 'Added', cell: ({ createdAtMs }) => timeAgo(createdAtMs, nowMs) },
      { label: 'Signed by', cell: ({ signedBy }) => signedBy },
      { label: 'Program', number: true, cell: (release) => bytes(release.bytes) },
      { label: 'Fetched', number: true, cell: ({ downloadBytes }) => bytes(downloadBytes) },
      {
        label: 'SHA-256',
        cell: ({ sha256 }) => html`<code title="${sha256}">${sha256.slice(0, 12)}</code>`,
      },
    ],
  });
}

const orders = {
  pause: ['Pause', 'Nobody else begins; who is on trial goes on.'],
  resume: ['Resume', 'It goes on where it was.'],
  stop: ['Stop', 'It ends; who has the version keeps it.'],
} as const;

type Order = keyof typeof orders;

function orderButtons({ status }: ReleaseRolloutView, asker: Principal): Html | undefined {
  if (!may(asker, 'releases.manage') || status === 'stopped') return undefined;
  const offered: readonly Order[] = status === 'running' ? ['pause', 'stop'] : ['resume', 'stop'];
  return html`${offered.map(
    (order) =>
      html`<button type="button" class="button small" data-dialog="release-${order}">${orders[order][0]}</button> `,
  )}`;
}

function orderDialogs(): Html {
  return html`${(Object.keys(orders) as Order[]).map((order) => {
    const [label, text] = orders[order];
    return dialog({
      id: `release-${order}`,
      title: `${label} the rollout`,
      body: html`<p>${text}</p>${actionForm({
        api: `POST /api/v1/releases/rollout/${order}`,
        submit: label,
        fields: textField({ id: `release-${order}-why`, name: 'reason', label: 'Why' }),
      })}`,
    });
  })}`;
}

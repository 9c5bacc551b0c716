import type { PublishStatus } from '../../../../actors/publish/messages.ts';
import type { CandidateView } from '../../../../actors/publish/version.ts';
import type { Principal } from '../../../api/authenticate.ts';
import { nothing } from '../../../api/schemas.ts';
import { actionForm, fixedField, textField } from '../../components/action-form.ts';
import { emptyState } from '../../components/empty-state.ts';
import { facts } from '../../components/facts.ts';
import { live } from '../../components/live.ts';
import { plural } from '../../components/numbers.ts';
import { partOf, Refused, refusedNote } from '../../components/refused.ts';
import { timeAt } from '../../components/time.ts';
import { type Html, html } from '../../html.ts';
import { may } from '../../may.ts';
import { page } from '../../page.ts';
import { readComparison } from './compare.ts';
import { comparisonView } from './comparison.ts';
import { policyEvents } from './events.ts';
import { freezeNotice } from './freeze.ts';
import { personOf } from './words.ts';

/** What waits for a second person: everything that it would change, and the two answers. */
export const approvalsPage = page({
  path: '/approvals',
  summary: 'Approvals',
  access: 'config.read',
  parameters: nothing,
  query: nothing,
  render: async ({ read, asker }) => {
    const status = await read<PublishStatus>('/api/v1/config/status');
    const { candidate } = status;
    const body = candidate === undefined ? nothingWaits(status) : undefined;
    const comparison = candidate && (await partOf(readComparison(read, 'live', 'candidate')));
    return {
      title: 'Approvals',
      listen: { types: policyEvents },
      body: html`${live({
        id: 'candidate',
        path: '/approvals',
        body: html`${freezeNotice(status.freeze)}${body ?? (candidate && about(candidate))}`,
      })}
      ${candidate && decision(candidate, asker)}
      ${
        comparison !== undefined &&
        (comparison instanceof Refused ? refusedNote(comparison) : comparisonView(comparison))
      }`,
    };
  },
});

function nothingWaits({ approvalRequired }: PublishStatus): Html {
  return emptyState({
    icon: 'check',
    title: 'Nothing waits for an approval',
    text: approvalRequired
      ? 'The next publish becomes a candidate and stands here until a second person decides.'
      : 'Publishes are live at once. With approval: required in the section publish of server.yaml, each waits here for a second person.',
    action: html`<a class="button" href="/policy">To the versions</a>`,
  });
}

function about(candidate: CandidateView): Html {
  const { author, message, createdAtMs, expiresAtMs, baseVersion, counts, contentHash, planId } =
    candidate;
  return html`<section class="panel" id="candidate-${contentHash.slice(0, 12)}">
    <h2>${message || 'No message'}</h2>
    ${facts([
      ['Author', personOf(author)],
      ['Since', timeAt(createdAtMs)],
      ['Void after', timeAt(expiresAtMs)],
      ['On top of', html`<a href="/policy/${baseVersion}">version ${baseVersion}</a>`],
      [
        'Checks',
        `${plural(counts.modules, 'module')}, ${plural(counts.resources, 'resource')}: no error`,
      ],
      [
        'Changes',
        `${plural(counts.changedEnvoys, 'envoy')} of ${counts.totalEnvoys.toLocaleString('en-US')}`,
      ],
      ['Plan', planId && html`<a href="/plans/${planId}">${planId.slice(0, 8)}</a>`],
      ['Content', html`<code>${contentHash}</code>`],
    ])}
  </section>`;
}

/** The author cannot approve, and may take it back; who may neither is told why there is no button. */
function decision({ author, contentHash }: CandidateView, asker: Principal): Html {
  const isOwn = author === asker.by;
  const canApprove = may(asker, 'config.approve') && !isOwn;
  const canReject = canApprove || (isOwn && may(asker, 'config.publish'));
  if (!canReject) {
    return html`<p class="callout">${
      isOwn
        ? 'This is your own publish: somebody else has to approve it.'
        : 'Your role does not approve. An approver who is not its author decides.'
    }</p>`;
  }
  return html`<section class="panel" aria-labelledby="decision">
    <h2 id="decision">${isOwn ? 'Your own publish' : 'Your decision'}</h2>
    ${isOwn && html`<p>Somebody else has to approve it. You can take it back.</p>`}
    <div class="columns">${canApprove && approveForm(contentHash)}${rejectForm(contentHash, isOwn)}</div>
  </section>`;
}

function approveForm(contentHash: string): Html {
  return actionForm({
    api: 'POST /api/v1/config/approve',
    submit: 'Approve and put in force',
    done: 'Approved',
    next: '/rollout?of={version}',
    fields: html`${fixedField('contentHash', contentHash)}${textField({
      id: 'approve-reason',
      name: 'reason',
      label: 'Why it is right',
      hint: 'It goes into the history and the audit log, with the hash of what you see here.',
      required: true,
    })}`,
  });
}

function rejectForm(contentHash: string, isOwn: boolean): Html {
  return actionForm({
    api: 'POST /api/v1/config/reject',
    submit: isOwn ? 'Take it back' : 'Reject',
    look: 'danger',
    done: isOwn ? 'Taken back' : 'Rejected',
    fields: html`${fixedField('contentHash', contentHash)}${textField({
      id: 'reject-reason',
      name: 'reason',
      label: isOwn ? 'Why you take it back' : 'Why not',
      required: true,
    })}`,
  });
}

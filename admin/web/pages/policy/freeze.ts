import type { FreezeView } from '../../../../actors/publish/version.ts';
import type { Principal } from '../../../api/authenticate.ts';
import { actionForm, choiceField, textField } from '../../components/action-form.ts';
import { dialog } from '../../components/dialog.ts';
import { icon } from '../../components/icon.ts';
import { timeAt } from '../../components/time.ts';
import { type Html, html } from '../../html.ts';
import { may } from '../../may.ts';
import { personOf } from './words.ts';

const hourMs = 3_600_000;

/** Says that nothing can be published, why and until when. */
export function freezeNotice(freeze: FreezeView | undefined): Html | undefined {
  if (freeze === undefined) return undefined;
  const { by, reason, sinceMs, untilMs } = freeze;
  return html`<div class="callout state-warning" role="status">
    <p><strong>Publishing is frozen</strong>
      ${untilMs === undefined ? 'until it is lifted' : html`until ${timeAt(untilMs)}`}:
      ${reason}</p>
    <p class="muted small">${personOf(by)}, since ${timeAt(sinceMs)}.
      Rollbacks and what is rolled out already go on.</p>
  </div>`;
}

/** The button for whoever may change it. */
export function freezeButton(freeze: FreezeView | undefined, asker: Principal): Html | undefined {
  if (freeze === undefined) {
    if (!may(asker, 'config.freeze')) return undefined;
    return html`<button type="button" class="button" data-dialog="freeze">${icon('clock')} Freeze</button>`;
  }
  if (!may(asker, 'config.unfreeze')) return undefined;
  return html`<button type="button" class="button" data-dialog="unfreeze">Lift the freeze</button>`;
}

/** Behind the buttons; both, where the asker has both rights, because the button changes while the page stands. */
export function freezeDialogs(asker: Principal): Html {
  const hours = (count: number) => String(count * hourMs);
  const freeze = actionForm({
    api: 'POST /api/v1/config/freeze',
    submit: 'Freeze publishing',
    done: 'Publishing is frozen',
    fields: html`${textField({ id: 'freeze-reason', name: 'reason', label: 'Why', required: true })}
      ${choiceField({
        id: 'freeze-for',
        name: 'forMs',
        label: 'For how long',
        isNumber: true,
        options: [
          ['', 'until somebody lifts it'],
          [hours(1), '1 hour'],
          [hours(8), '8 hours'],
          [hours(24), '1 day'],
          [hours(72), '3 days'],
          [hours(168), '1 week'],
        ],
      })}`,
  });
  const unfreeze = actionForm({
    api: 'POST /api/v1/config/unfreeze',
    submit: 'Lift the freeze',
    done: 'The freeze is lifted',
    fields: textField({ id: 'unfreeze-reason', name: 'reason', label: 'Why', required: true }),
  });
  return html`${may(asker, 'config.freeze') && dialog({ id: 'freeze', title: 'Freeze publishing', body: freeze })}
    ${may(asker, 'config.unfreeze') && dialog({ id: 'unfreeze', title: 'Lift the freeze', body: unfreeze })}`;
}

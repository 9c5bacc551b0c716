import type { Static } from 'typebox';
import type { Principal } from '../../api/authenticate.ts';
import type { Permission } from '../../api/permissions.ts';
import { reachOf } from '../../api/policy-decision.ts';
import type { envoyShape } from '../../api/shapes/envoys.ts';
import { actionForm, textField } from '../components/action-form.ts';
import { dialog } from '../components/dialog.ts';
import { type Html, html } from '../html.ts';
import { part } from '../path.ts';

type Envoy = Pick<Static<typeof envoyShape>, 'id' | 'hostname' | 'maintenance' | 'revoked'>;

/** What may be done with an envoy by this person, and the dialogs that ask for the reason. */
export function envoyActions(envoy: Envoy, asker: Principal): { buttons: Html; dialogs: Html } {
  if (envoy.revoked) return { buttons: html``, dialogs: html`` };
  const maintains = mayHere(asker, 'envoys.maintain');
  const revokes = mayHere(asker, 'envoys.revoke');
  return {
    buttons: html`${maintains && maintenanceButton(envoy)}${
      revokes &&
      html`<button type="button" class="button small danger" data-dialog="revoke">Revoke</button>`
    }`,
    dialogs: html`${maintains && maintenanceDialog(envoy)}${revokes && revokeDialog(envoy)}`,
  };
}

/** On this envoy or another: which ones is for the API to say. */
function mayHere(asker: Principal, permission: Permission): boolean {
  const { everywhere, selectors } = reachOf(asker, permission);
  return everywhere || selectors.length > 0;
}

const maintenancePath = ({ id }: Envoy) => `/api/v1/envoys/${part(id)}/maintenance`;

function maintenanceButton(envoy: Envoy): Html {
  return envoy.maintenance === undefined
    ? html`<button type="button" class="button small" data-dialog="maintenance">Maintenance</button>`
    : html`<button type="button" class="button small" data-api="DELETE ${maintenancePath(envoy)}" data-then="reload">End maintenance</button>`;
}

function maintenanceDialog(envoy: Envoy): Html {
  return dialog({
    id: 'maintenance',
    title: `Work on ${envoy.hostname}`,
    body: html`<p>It converges as ever, and raises no alarm until you end it.</p>${actionForm({
      api: `PUT ${maintenancePath(envoy)}`,
      fields: textField({
        id: 'maintenance-reason',
        name: 'reason',
        label: 'Reason',
        required: true,
      }),
      submit: 'Begin maintenance',
    })}`,
  });
}

function revokeDialog(envoy: Envoy): Html {
  return dialog({
    id: 'revoke',
    title: `Revoke ${envoy.hostname}`,
    body: html`<p>The server refuses this envoy from now on and for ever; nothing brings it back.
      The machine goes on keeping the policy that it has.</p>${actionForm({
        api: `POST /api/v1/envoys/${part(envoy.id)}/revoke`,
        fields: textField({ id: 'revoke-reason', name: 'reason', label: 'Reason', required: true }),
        submit: 'Revoke it for ever',
        look: 'danger',
      })}`,
  });
}

import type { ActorKind } from '../../runtime/actor.ts';
import type { PublishStatus } from '../publish/messages.ts';
import { publishQueryAddress } from '../publish/messages.ts';
import type { DoctorMessages } from './messages.ts';
import { policyFindings } from './policy-rules.ts';
import { threadChecks, threadFindings } from './thread-rules.ts';
import { type Examination, inOrder } from './view.ts';

const mailboxLimit = 100;
const idleAfterMs = 600_000;
const publishDeadlineMs = 10_000;

/** What the machine and the database tell; the server fills it (actors/server/doctor). */
export interface DoctorServices {
  examine(nowMs: number): Promise<Examination>;
}

export function doctorKind(services: DoctorServices): ActorKind<undefined, DoctorMessages> {
  return {
    name: 'doctor',
    placement: 'service',
    mailboxLimit,
    idleAfterMs,
    restart: { maxRestarts: 10, withinMs: 60_000 },
    activate: () => undefined,
    handlers: {
      examine: async (turn, { threads }) => {
        const nowMs = turn.ports.clock.nowMs();
        const machine = await services.examine(nowMs);
        const publish = await turn
          .ask(publishQueryAddress(), 'status', {}, publishDeadlineMs)
          .catch((error: unknown): PublishStatus | Error =>
            error instanceof Error ? error : new Error(String(error)),
          );
        const policy = policyFindings(publish, nowMs);
        return {
          findings: inOrder([...machine.findings, ...threadFindings(threads), ...policy.findings]),
          checked: [...machine.checked, ...threadChecks, ...policy.checked],
        };
      },
    },
  };
}

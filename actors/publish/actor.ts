import type { ActorKind } from '../../runtime/actor.ts';
import { codedDisk } from '../coded-disk.ts';
import { codeOf, ServerError } from '../errors.ts';
import { approve, freeze, reject, unfreeze } from './approval.ts';
import {
  offlineTools,
  type PublishContext,
  type PublishMemory,
  type PublishOptions,
  type PublishTurn,
  publishContext,
} from './context.ts';
import { type PublishMessages, publishAddress } from './messages.ts';
import { createPolicyCache, readPolicy } from './policy.ts';
import { publishStack } from './publish-stack.ts';
import { compare, filesOf, statusOf } from './queries.ts';
import { assign, bringUpToDate, recover } from './recover.ts';
import { rollback } from './restore.ts';
import { changeRollout } from './rollout-change.ts';
import type { PublishState } from './state.ts';
import { flush } from './transition.ts';

const mailboxLimit = 10_000;
const idleAfterMs = 3_600_000;

type Change<T extends keyof PublishMessages> = (
  context: PublishContext,
  state: PublishState,
  payload: PublishMessages[T]['payload'],
) => PublishMessages[T]['reply'] | Promise<PublishMessages[T]['reply']>;

/**
 * The publish actor: validates, compiles and puts policy in force, one change at a time. Its key "main"
 * changes, "query" only answers.
 */
export function publishKind(options: PublishOptions): ActorKind<PublishMemory, PublishMessages> {
  // Beside the actors' memory, which a refusal empties.
  const caches = { main: createPolicyCache(), query: createPolicyCache() };
  const contextOf = (turn: PublishTurn) =>
    publishContext(options, turn, caches[turn.key === publishAddress().key ? 'main' : 'query']);
  const query =
    <T extends keyof PublishMessages>(run: Change<T>) =>
    (turn: PublishTurn, payload: PublishMessages[T]['payload']) =>
      codedDisk('PUBLISH_DISK', async () => {
        const context = contextOf(turn);
        return await run(context, await context.file.read(), payload);
      });
  /** What is on record is in force before it changes again: an earlier turn may have ended half-way. */
  const change = <T extends keyof PublishMessages>(run: Change<T>) => {
    const answer = query<T>(async (context, state, payload) => {
      await bringUpToDate(context, state);
      return await run(context, state, payload);
    });
    return async (turn: PublishTurn, payload: PublishMessages[T]['payload']) => {
      checkKey(turn);
      return await answer(turn, payload);
    };
  };
  return {
    name: 'publish',
    placement: 'service',
    mailboxLimit,
    idleAfterMs,
    restart: { maxRestarts: 10, withinMs: 60_000 },
    activate: () => ({ known: undefined, flushed: undefined, matchers: new Map() }),
    handlers: {
      validate: (turn, request) => validate(contextOf(turn), request),
      publish: (turn, request) =>
        codedDisk('PUBLISH_DISK', async () => {
          checkKey(turn);
          const context = contextOf(turn);
          const state = await context.file.readIfWhole();
          const isWhole = state !== undefined && (await isInForce(context, state));
          return await publishStack(context, { state, isWhole }, request);
        }),
      rollback: change<'rollback'>(rollback),
      approve: change<'approve'>(approve),
      reject: change<'reject'>(reject),
      freeze: change<'freeze'>(freeze),
      unfreeze: change<'unfreeze'>(unfreeze),
      changeRollout: change<'changeRollout'>(changeRollout),
      assign: async (turn, payload) =>
        codedDisk('PUBLISH_DISK', async () => {
          checkKey(turn);
          const context = contextOf(turn);
          // Thousands come at once when a fleet is enrolled: no file is read for each.
          turn.state.known ??= await context.file.read();
          return assign(context, turn.state.known, payload);
        }),
      recover: query<'recover'>(recover),
      flush: change<'flush'>(async (context, state) => {
        await flush(context, state);
        return undefined;
      }),
      status: query<'status'>(statusOf),
      diff: query<'diff'>(compare),
      files: query<'files'>((context, state, { of }) => filesOf(context, state, of)),
    },
  };
}

async function validate(
  { options, strictTools }: PublishContext,
  { directory, offline }: PublishMessages['validate']['payload'],
): Promise<PublishMessages['validate']['reply']> {
  const tools = offline === true ? offlineTools(strictTools) : strictTools;
  return (await readPolicy(directory ?? options.stackDirectory, tools)).result;
}

/** A publish repairs what is damaged, so that is no reason to refuse it. */
async function isInForce(context: PublishContext, state: PublishState): Promise<boolean> {
  try {
    await bringUpToDate(context, state);
    return true;
  } catch (error) {
    if (codeOf(error) === 'PUBLISH_LIVE_DAMAGED') return false;
    throw error;
  }
}

/** Two actors that change would overtake each other. */
function checkKey({ key }: PublishTurn): void {
  if (key === publishAddress().key) return;
  throw new ServerError('PUBLISH_BAD_REQUEST', { reason: `the actor "${key}" only answers` });
}

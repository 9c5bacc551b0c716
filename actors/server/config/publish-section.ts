import { Type } from 'typebox';
import { freezeWindowExample, parseFreezeWindow } from '../../publish/freeze.ts';
import { parseStage, stageLimit } from '../../rollout/stages.ts';
import { durationExamples } from './duration.ts';

/** Freeze windows of server.yaml. */
const freezeWindowLimit = 50;
const itemLength = 1000;

const percent = (description: string, percentage: number) =>
  Type.Integer({
    description,
    default: percentage,
    minimum: 0,
    maximum: 100,
    expected: 'a whole number from 0 to 100',
  });

/** The section `publish` of server.yaml. */
export const publishSection = Type.Object(
  {
    approval: Type.Union([Type.Literal('off'), Type.Literal('required')], {
      description:
        'required: a publish waits until an administrator other than its author approves exactly\n' +
        'that stack. A rollback does not wait.',
      default: 'off',
      expected: 'off or required',
    }),
    candidate_expiry: Type.String({
      description: 'How long a publish waits for its approval.',
      default: '7d',
      duration: true,
      leastMs: 60_000,
      expected: `${durationExamples}, at least 1m`,
    }),
    freeze_windows: Type.Array(Type.String({ maxLength: itemLength }), {
      description:
        'Times of every week in which nothing is published, such as "Fri 16:00-Mon 08:00 Europe/Berlin"\n' +
        '(UTC when no zone is named). Rollbacks go on.',
      default: [],
      maxItems: freezeWindowLimit,
      expected: `a list of windows such as ${freezeWindowExample}`,
    }),
    stages: Type.Array(Type.String({ maxLength: itemLength }), {
      description:
        'How a version reaches the fleet: shares of the envoys that it changes ("5%"), or globs of\n' +
        'host names ("canary-*,db-1"); everybody comes last. Empty: all at once.',
      default: [],
      maxItems: stageLimit - 1,
      expected: 'a list of percentages and globs of host names',
    }),
    observe: Type.String({
      description:
        'How long each stage is watched, at least two check-in intervals. 0 with no stages: a version\n' +
        'is not watched.',
      default: '0',
      duration: true,
      leastMs: 1000,
      zero: true,
      expected: `${durationExamples}, at least 1s, or 0`,
    }),
    threshold: percent(
      'Percent of the reached envoys that may fail; above it a rollout stops.',
      10,
    ),
    least_converged: percent(
      'Percent of the connected fleet that must stay converged; below it a rollout stops. 0 = any.',
      0,
    ),
    on_failure: Type.Union([Type.Literal('rollback'), Type.Literal('pause')], {
      description: 'What a stopped rollout does: bring the last good version back, or wait.',
      default: 'rollback',
      expected: 'rollback or pause',
    }),
  },
  { additionalProperties: false, description: 'How policy versions come into force.' },
);

/** Rules that JSON Schema cannot say; by the path of the key. */
export const publishItemChecks: ReadonlyMap<string, (item: string) => boolean> = new Map([
  ['publish.freeze_windows', (item: string) => parseFreezeWindow(item) !== undefined],
  ['publish.stages', (item: string) => parseStage(item) !== undefined],
]);

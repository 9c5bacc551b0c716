import { Type } from 'typebox';
import { durationExamples } from './duration.ts';

const duration = (description: string, value: string, leastMs: number, least: string) =>
  Type.String({
    description,
    default: value,
    leastMs,
    duration: true,
    expected: `${durationExamples}, at least ${least}`,
  });

/** The section `accounts` of server.yaml. */
export const accountsSection = Type.Object(
  {
    session_idle: duration(
      'A session ends after this long without a request.',
      '1h',
      120_000,
      '2m',
    ),
    session_lifetime: duration('A session ends after this long, used or not.', '12h', 60_000, '1m'),
    key_second_factor: Type.Union([Type.Literal('ask'), Type.Literal('skip')], {
      description:
        'Whether a login by SSH key or by a key of the browser asks for the second factor of accounts\n' +
        'that have one.',
      default: 'ask',
      expected: 'ask or skip',
    }),
  },
  { additionalProperties: false, description: 'People who log in; docs/accounts.md.' },
);

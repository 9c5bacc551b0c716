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
  },
  { additionalProperties: false, description: 'People who log in; docs/accounts.md.' },
);

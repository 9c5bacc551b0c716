/** Bounds and names of the five fields of crontab(5). */
const fields = [
  { name: 'minute', minimum: 0, maximum: 59, words: [] },
  { name: 'hour', minimum: 0, maximum: 23, words: [] },
  { name: 'day', minimum: 1, maximum: 31, words: [] },
  {
    name: 'month',
    minimum: 1,
    maximum: 12,
    words: ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'],
  },
  {
    name: 'weekday',
    minimum: 0,
    maximum: 7,
    words: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'],
  },
] as const;

const nicknames = new Set(
  ['reboot', 'yearly', 'annually', 'monthly', 'weekly', 'daily', 'midnight', 'hourly'].map(
    (word) => `@${word}`,
  ),
);

const lengthLimit = 400;

/** What is wrong with a schedule (five fields or a nickname such as @daily); undefined when right. */
export function scheduleProblem(schedule: string): string | undefined {
  if (schedule.length > lengthLimit) return 'is too long';
  if (schedule.startsWith('@'))
    return nicknames.has(schedule) ? undefined : `must be one of ${[...nicknames].join(', ')}`;
  const parts = schedule.split(' ');
  if (parts.length !== fields.length) return 'must have five fields or be a nickname like @daily';
  for (const [index, field] of fields.entries()) {
    const bad = parts[index]!.split(',').find((item) => !isItem(item, field));
    if (bad !== undefined) return `has a bad ${field.name} field`;
  }
  return undefined;
}

/** One value, range or "*", each with an optional step. */
function isItem(item: string, field: (typeof fields)[number]): boolean {
  const match = /^(?:(\*)|([0-9A-Za-z]+)(?:-([0-9A-Za-z]+))?)(?:\/(\d{1,4}))?$/.exec(item);
  if (match === null) return false;
  const [, star, first, last, step] = match;
  if (step !== undefined && Number(step) < 1) return false;
  if (star !== undefined) return true;
  const from = fieldValue(first!, field);
  if (last === undefined) return from !== undefined && step === undefined;
  const to = fieldValue(last, field);
  return from !== undefined && to !== undefined && from <= to;
}

function fieldValue(text: string, field: (typeof fields)[number]): number | undefined {
  const index = (field.words as readonly string[]).indexOf(text.toLowerCase());
  if (index >= 0) return index + field.minimum;
  const value = /^\d{1,2}$/.test(text) ? Number(text) : -1;
  return value >= field.minimum && value <= field.maximum ? value : undefined;
}

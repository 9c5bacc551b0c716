import { InvalidArgumentError, Option } from 'commander';

const pageLimitMax = 500;

/** "--limit <rows>", a number that the server takes. */
export function limitOption(rows: number): Option {
  return new Option('--limit <rows>', `rows to show, 1 to ${pageLimitMax}`)
    .default(String(rows))
    .argParser((text) => {
      if (/^\d{1,3}$/.test(text) && Number(text) >= 1 && Number(text) <= pageLimitMax) return text;
      throw new InvalidArgumentError(`It is not a number from 1 to ${pageLimitMax}.`);
    });
}

export function stateOption(states: readonly string[]): Option {
  return new Option('--state <state>', 'only in this state').choices(states);
}

export function cursorOption(): Option {
  return new Option('--cursor <cursor>', 'go on behind an earlier page');
}

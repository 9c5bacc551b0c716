import type { Platform } from '../platform.ts';
import { fileStamp } from '../text-file.ts';

const answerLimit = 256;
const entryLimit = 4096;

/** What a program answered, kept until one of the files changes that its answer comes from. */
export class AnswerCache {
  readonly #stampOf: () => Promise<string>;
  readonly #answers = new Map<string, unknown>();
  #stamp = '';

  constructor(stampOf: () => Promise<string>) {
    this.#stampOf = stampOf;
  }

  /** `question` must be asked for one type of answer only. */
  async get<Answer>(question: string, ask: () => Promise<Answer>): Promise<Answer> {
    const stamp = await this.#stampOf();
    if (stamp !== this.#stamp || this.#answers.size >= answerLimit) this.#answers.clear();
    this.#stamp = stamp;
    if (this.#answers.has(question)) return this.#answers.get(question) as Answer;
    const answer = await ask();
    this.#answers.set(question, answer);
    return answer;
  }
}

/** Identity of what these files hold, and of all files in these directories (not deeper). */
export async function filesStamp(platform: Platform, paths: readonly string[]): Promise<string> {
  const stamps = await Promise.all(
    paths.map(async (path) => {
      const names = await listNames(platform, path);
      const all = [path, ...names.map((name) => `${path}/${name}`)];
      const stamps = await Promise.all(all.map((one) => fileStamp(platform, one)));
      return [...names, ...stamps].join(' ');
    }),
  );
  return stamps.join('\n');
}

/** Names in a declared directory, sorted; none when it is not there or no directory. */
export async function listNames(platform: Platform, declared: string): Promise<string[]> {
  const path = await platform.paths.resolve(declared, { followLast: true });
  if ((await platform.files.status(path))?.kind !== 'directory') return [];
  return (await platform.files.list(path)).sort().slice(0, entryLimit);
}

import type { Session } from './session.ts';

/** Whether somebody is there to be asked. */
export function mayAsk(it: Session): boolean {
  return process.stdin.isTTY === true && it.options.input !== false;
}

/** What the person types, trimmed; it is shown. '' when the question is taken back. */
export async function askLine(question: string, signal?: AbortSignal): Promise<string> {
  const { createInterface } = await import('node:readline/promises');
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  // Otherwise it would only close the prompt, and what else is waited for would go on.
  prompt.once('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  try {
    return (await prompt.question(question, signal === undefined ? {} : { signal })).trim();
  } catch (error) {
    if (signal?.aborted === true) return '';
    throw error;
  } finally {
    prompt.close();
  }
}

/** The first letter of the answer, lower case; '' for a mere return. */
export async function askLetter(question: string): Promise<string> {
  return (await askLine(question)).slice(0, 1).toLowerCase();
}

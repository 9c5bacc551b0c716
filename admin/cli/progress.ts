import type { Session } from './session.ts';

const firstAfterMs = 1_000;
const everyMs = 500;

/**
 * Runs long work and says on a terminal that it goes on: one line of stderr, which goes when the work ends.
 * In a pipe, with --json and with --quiet nothing is said. `look` words how far it is.
 */
export async function withProgress<T>(
  it: Session,
  label: string,
  run: () => Promise<T>,
  look: () => Promise<string> = async () => '',
): Promise<T> {
  if (!it.mayNote || process.stderr.isTTY !== true) return await run();
  const startedMs = Date.now();
  let isOver = false;
  let timer: NodeJS.Timeout | undefined;
  const show = async (): Promise<void> => {
    const words = await look().catch(() => '');
    if (isOver) return;
    const seconds = Math.round((Date.now() - startedMs) / 1000);
    const line = `${label}… ${[words, `${seconds} s`].filter(Boolean).join(', ')}`;
    process.stderr.write(`\r\u001b[K${line.slice(0, Math.max(20, it.width - 1))}`);
    timer = setTimeout(() => void show(), everyMs);
  };
  timer = setTimeout(() => void show(), firstAfterMs);
  try {
    return await run();
  } finally {
    isOver = true;
    clearTimeout(timer);
    if (Date.now() - startedMs >= firstAfterMs) process.stderr.write('\r\u001b[K');
  }
}

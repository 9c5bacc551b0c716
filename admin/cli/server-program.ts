import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { AdminError } from '../errors.ts';
import { LocalRefusal } from './local-refusal.ts';

const outputBytesMax = 16 * 1024 * 1024;
const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
const main = fileURLToPath(new URL(`../../actors/server/main.${extension}`, import.meta.url));

/** What vigosrv says with --json when it could not. */
interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
  readonly exitCode: number;
}

/**
 * Runs a command of vigosrv on this machine: for what happens while no server runs. Its answer is one JSON
 * value; a refusal becomes the same refusal here.
 */
export async function runServerProgram<T>(args: readonly string[]): Promise<T> {
  const flags = ['--disable-warning=ExperimentalWarning'];
  const child = spawn(process.execPath, [...flags, main, ...args, '--json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let complaint = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    if (out.length < outputBytesMax) out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-4_000);
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  let answer: (T & Partial<Refusal>) | undefined;
  try {
    answer = JSON.parse(out) as T & Partial<Refusal>;
  } catch {
    throw new AdminError('CLI_FAILED', complaint.trim() || `vigosrv ended with ${code}`);
  }
  if (code === 0) return answer;
  const { code: name = 'CLI_FAILED', message = '', remedy = '', exitCode = 1 } = answer;
  throw new LocalRefusal({ code: name, message, remedy, exitCode });
}

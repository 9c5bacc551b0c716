import { changed } from '../../converge/result.ts';
import type { HistoryEntry } from '../../offline/history-entry.ts';
import type { PolicyValue } from '../../protocol/bundle.ts';
import { time } from '../status/text.ts';
import { relative, type TerminalText } from '../terminal-text.ts';
import type { ConditionFacts, WhyDocument } from './document.ts';

const headWidth = 14;
/** Longer values are cut; `--json` has them whole. */
const valueLimit = 200;
/** Lines of a parameter such as a file's content that are shown. */
const blockLimit = 8;

export function writeWhy(text: TerminalText, why: WhyDocument, nowMs: number): void {
  const pair = (head: string, value: string) => text.pair(head, value, headWidth);
  const list = (head: string, names: readonly string[]) => {
    if (names.length > 0) pair(head, names.join(', '));
  };
  pair('resource', `${why.id} (${why.type})`);
  pair('from', `module ${why.module}, policy version ${why.policyVersion}`);
  pair('', `file, line, entry and role: ${why.trace}`);
  writeParameters(text, why);
  for (const [index, one] of why.conditions.entries())
    pair(index === 0 ? 'conditions' : '', conditionText(one));
  writeValues(text, 'variables', why.vars);
  writeValues(text, 'traits', why.traits);
  list('needs', why.needs);
  list('needed by', why.neededBy);
  list('triggers', why.triggers);
  list('triggered by', why.triggeredBy);
  writeLast(text, why);
  writeLastChange(text, why.history, nowMs);
  writeHistory(text, why.history, nowMs);
}

function writeParameters(text: TerminalText, { parameters, item }: WhyDocument): void {
  const all = { ...parameters, ...(item === undefined ? {} : { 'element of foreach': item }) };
  for (const [index, [name, value]] of Object.entries(all).entries()) {
    const head = index === 0 ? 'declared' : '';
    if (typeof value !== 'string' || !value.includes('\n')) {
      text.pair(head, `${name}: ${shown(value)}`, headWidth);
      continue;
    }
    const lines = value.trimEnd().split('\n');
    text.pair(head, `${name}:`, headWidth);
    const more = lines.length > blockLimit ? [`(${lines.length - blockLimit} more lines)`] : [];
    const margin = ' '.repeat(headWidth + 2);
    text.block([...lines.slice(0, blockLimit), ...more].join('\n'), margin);
  }
}

function writeValues(
  text: TerminalText,
  head: string,
  values: Readonly<Record<string, PolicyValue>>,
): void {
  for (const [index, [path, value]] of Object.entries(values).entries())
    text.pair(index === 0 ? head : '', `${path} = ${shown(value)}`, headWidth);
}

function shown(value: PolicyValue): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length <= valueLimit ? text : `${text.slice(0, valueLimit)}…`;
}

function conditionText({ of, when, holds, decided, problem }: ConditionFacts): string {
  const whole = `of the ${of}: ${when}`;
  if (problem !== undefined) return `${whole} - ${problem}`;
  if (holds === undefined) return `${whole} - only a pass can tell`;
  const part = decided === undefined || decided === when ? '' : `, by ${decided}`;
  return `${whole} - ${holds ? 'holds' : 'does not hold'}${part}`;
}

function writeLast(text: TerminalText, { last }: WhyDocument): void {
  if (last === undefined) {
    text.pair('last pass', 'has not seen it yet', headWidth);
    return;
  }
  const { action, reason, errorCode, remedy } = last;
  const state = action === 'none' ? 'as declared' : action;
  const code = errorCode === '' ? '' : ` [${errorCode}]`;
  text.pair('last pass', `${state}: ${reason}${code}`, headWidth);
  if (remedy !== undefined) text.pair('', `remedy: ${remedy}`, headWidth);
}

function writeLastChange(
  text: TerminalText,
  history: readonly HistoryEntry[],
  nowMs: number,
): void {
  const change = history.find(({ action }) => changed(action));
  if (change === undefined) {
    text.pair('last change', 'none that this node remembers', headWidth);
    return;
  }
  const { atMs, runId, diff } = change;
  text.pair(
    'last change',
    `${time(atMs)} (${relative(atMs, nowMs)}): ${causeText(change)}`,
    headWidth,
  );
  text.pair('', `${change.action}: ${change.reason}`, headWidth);
  text.pair('', `pass ${runId}${change.offline ? ', without the server' : ''}`, headWidth);
  if (diff !== '') text.block(diff, ' '.repeat(headWidth));
}

function causeText({ cause, policyVersion }: HistoryEntry): string {
  return cause === 'policy'
    ? `by policy version ${policyVersion}, in its first pass`
    : `drift; something else had changed it (policy version ${policyVersion})`;
}

function writeHistory(text: TerminalText, history: readonly HistoryEntry[], nowMs: number): void {
  if (history.length < 2) return;
  text.line();
  text.line('history, newest first:', 'bold');
  for (const entry of history) text.line(`  ${entryLine(entry, nowMs)}`);
}

/** One line of a history. */
export function entryLine(entry: HistoryEntry, nowMs: number): string {
  const { atMs, action, reason, errorCode, policyVersion, cause } = entry;
  const state = action === 'none' ? 'well again' : action;
  const code = errorCode === '' ? '' : ` [${errorCode}]`;
  const from = cause === 'policy' ? 'new policy' : 'drift';
  return `${time(atMs)} (${relative(atMs, nowMs)})  ${state}: ${reason}${code} (version ${policyVersion}, ${from})`;
}

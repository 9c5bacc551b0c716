/**
 * Evaluates a condition without the parser of agent/policy/when: shunting-yard to reverse Polish
 * notation, atoms cut out by one regular expression and answered one by one.
 */
export async function evaluateIndependently(
  text: string,
  answer: (atom: string) => Promise<boolean>,
): Promise<boolean> {
  const stack: boolean[] = [];
  for (const symbol of toPolish(text)) {
    if (symbol === '!') stack.push(!stack.pop()!);
    else if (symbol === '&&' || symbol === '||') {
      const [b, a] = [stack.pop()!, stack.pop()!];
      stack.push(symbol === '&&' ? a && b : a || b);
    } else stack.push(await answer(symbol));
  }
  if (stack.length !== 1) throw new Error(`unbalanced: ${text}`);
  return stack[0]!;
}

const string = "'(?:[^'\\\\]|\\\\.)*'";
const word = '[A-Za-z0-9_.]+';
const symbols = new RegExp(
  [
    `(?:${string}|${word})\\s*(?:==|!=|<=|>=|<|>|\\bin\\b)\\s*(?:${string}|${word})`,
    `[a-z_]+\\(\\s*(?:${string}\\s*,?\\s*)*\\)`,
    '[a-z_]+',
    '&&|\\|\\||[!()]',
  ].join('|'),
  'g',
);

const strength: Readonly<Record<string, number>> = { '||': 1, '&&': 2, '!': 3 };

function toPolish(text: string): string[] {
  const output: string[] = [];
  const held: string[] = [];
  for (const [symbol] of text.matchAll(symbols)) {
    if (symbol === '(' || symbol === '!') held.push(symbol);
    else if (symbol === ')') {
      while (held.at(-1) !== '(') output.push(held.pop()!);
      held.pop();
    } else if (symbol in strength) {
      while ((strength[held.at(-1) ?? ''] ?? 0) >= strength[symbol]!) output.push(held.pop()!);
      held.push(symbol);
    } else output.push(symbol);
  }
  return [...output, ...held.reverse()];
}

import { AgentError } from '../errors.ts';
import { closestName } from '../policy/closest.ts';

export interface OptionSpec {
  /** What a value stands for in the help, "host:port"; a flag has none. */
  readonly value?: string;
  readonly description: string;
}

export interface CommandSpec {
  readonly summary: string;
  /** Names of operands in the help, "[name]". */
  readonly operands?: string;
  readonly operandLimit: number;
  readonly options: Readonly<Record<string, OptionSpec>>;
  /** Examples and lists below the options of the help, without a line break at the end. */
  readonly details?: string;
}

export interface ParsedArguments {
  /** Undefined when none was given. */
  readonly command: string | undefined;
  readonly operands: readonly string[];
  /** Option name to value; a flag's value is "true". */
  readonly options: ReadonlyMap<string, string>;
  readonly help: boolean;
}

/** More are nobody's command line. */
const argumentLimit = 100;

/**
 * Reads `vigo [options] command [options] [operands]`. Options are `--name value`, `--name=value`
 * or `--flag`; `--` ends them. Throws AGENT_USAGE with a suggestion where one is near.
 */
export function parseArguments(
  argv: readonly string[],
  commands: Readonly<Record<string, CommandSpec>>,
  globals: Readonly<Record<string, OptionSpec>>,
): ParsedArguments {
  if (argv.length > argumentLimit) throw usage('too many arguments');
  const options = new Map<string, string>();
  const words: string[] = [];
  const known = (): Readonly<Record<string, OptionSpec>> => ({
    ...globals,
    ...(words[0] === undefined ? allOptions(commands) : commands[words[0]]?.options),
  });
  let help = false;
  for (let index = 0; index < argv.length; index++) {
    const argument = argv[index]!;
    if (argument === '--') {
      words.push(...argv.slice(index + 1));
      break;
    }
    if (argument === '-h' || argument === '--help') help = true;
    else if (!argument.startsWith('-')) addWord(words, argument, commands);
    else {
      const [name, inline] = splitOption(argument);
      const spec = findOption(name, known());
      const value = spec.value === undefined ? (inline ?? 'true') : (inline ?? argv[++index]);
      if (value === undefined) throw usage(`--${name} needs a value: ${spec.value}`);
      if (spec.value === undefined && value !== 'true') throw usage(`--${name} takes no value`);
      options.set(name, value);
    }
  }
  const [command, ...operands] = words;
  checkCommand(command, operands, options, commands, globals);
  return { command, operands, options, help };
}

function addWord(
  words: string[],
  word: string,
  commands: Readonly<Record<string, CommandSpec>>,
): void {
  if (words.length === 0 && commands[word] === undefined)
    throw usage(`unknown command ${word}${suggestion(word, Object.keys(commands), '')}`);
  words.push(word);
}

function splitOption(argument: string): [string, string | undefined] {
  const text = argument.replace(/^--?/, '');
  const at = text.indexOf('=');
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

function findOption(name: string, known: Readonly<Record<string, OptionSpec>>): OptionSpec {
  const spec = Object.hasOwn(known, name) ? known[name] : undefined;
  if (spec === undefined)
    throw usage(`unknown option --${name}${suggestion(name, Object.keys(known), '--')}`);
  return spec;
}

/** Options before the command may belong to any; this says so when they do not belong to this one. */
function checkCommand(
  command: string | undefined,
  operands: readonly string[],
  options: ReadonlyMap<string, string>,
  commands: Readonly<Record<string, CommandSpec>>,
  globals: Readonly<Record<string, OptionSpec>>,
): void {
  if (command === undefined) return;
  const spec = commands[command]!;
  for (const name of options.keys()) findOption(name, { ...globals, ...spec.options });
  if (operands.length > spec.operandLimit)
    throw usage(`${command} does not take ${operands[spec.operandLimit]}`);
}

function allOptions(commands: Readonly<Record<string, CommandSpec>>) {
  return Object.assign({}, ...Object.values(commands).map(({ options }) => options)) as Readonly<
    Record<string, OptionSpec>
  >;
}

function suggestion(name: string, known: readonly string[], prefix: string): string {
  const near = closestName(name, known);
  return near === undefined ? '' : `; did you mean ${prefix}${near}?`;
}

function usage(detail: string): AgentError {
  return new AgentError('AGENT_USAGE', detail);
}

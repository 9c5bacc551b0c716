import type { Command, Option } from 'commander';
import { exitCodeMeanings } from './exit-codes.ts';
import { examplesOf } from './verb-command.ts';

/** File name -> text in the man(7) macros: one page for the program, one for each group. */
export function manPages(program: Command): Map<string, string> {
  const pages = new Map([[`${program.name()}.1`, mainPage(program)]]);
  for (const group of groups(program)) {
    pages.set(`${program.name()}-${group.name()}.1`, groupPage(program, group));
  }
  return pages;
}

function groups(program: Command): Command[] {
  return children(program);
}

function children(command: Command): Command[] {
  return command
    .createHelp()
    .visibleCommands(command)
    .filter((child) => child.name() !== 'help');
}

function mainPage(program: Command): string {
  const list = groups(program).map((group) => {
    const page = bold(`${program.name()}-${group.name()}`);
    return ['.TP', `${page}(1)`, text(group.description())].join('\n');
  });
  return [
    ...heading(program, program.name(), program.description()),
    '.SH SYNOPSIS',
    `${bold(program.name())} [${italic('option')} ...] ${italic('command')} [${italic('argument')} ...]`,
    ...exampleSection(program),
    '.SH OPTIONS',
    'They may stand before or behind the command.',
    ...optionLines(program.options),
    '.SH COMMANDS',
    ...list,
    ...exitSection(),
    '.SH ENVIRONMENT',
    ...environment(),
    '.SH "SEE ALSO"',
    groups(program)
      .map((group) => `.BR ${roff(`${program.name()}-${group.name()}`)} (1)`)
      .join(' ,\n'),
    '',
  ].join('\n');
}

function groupPage(program: Command, group: Command): string {
  const name = `${program.name()}-${group.name()}`;
  const verbs = leaves(group, [program.name(), group.name()]);
  return [
    ...heading(program, name, group.description()),
    '.SH SYNOPSIS',
    ...verbs.flatMap(([path, verb]) => [synopsis(path, verb), '.br']).slice(0, -1),
    '.SH DESCRIPTION',
    `${text(`${capital(group.description())}.`)}`,
    ...verbs.flatMap(([path, verb]) => verbSection(path, verb)),
    ...exitSection(),
    '.SH "SEE ALSO"',
    `.BR ${roff(program.name())} (1)`,
    '',
  ].join('\n');
}

function leaves(command: Command, path: readonly string[]): [readonly string[], Command][] {
  const below = children(command);
  if (below.length === 0) return [[path, command]];
  return below.flatMap((child) => leaves(child, [...path, child.name()]));
}

function heading(program: Command, name: string, description: string): string[] {
  const source = `Vigo ${program.version() ?? ''}`.trim();
  return [
    `.\\" Made by: ${program.name()} man`,
    `.TH ${roff(name.toUpperCase())} 1 "" "${roff(source)}" "Vigo manual"`,
    '.SH NAME',
    `${roff(name)} \\- ${text(description.replace(/\.$/, ''))}`,
  ];
}

function verbSection(path: readonly string[], verb: Command): string[] {
  const parameters = verb.registeredArguments.map((argument) => ({
    term: italic(argument.name()),
    description: argument.description,
  }));
  const described = parameters.filter(({ description }) => description !== '');
  return [
    `.SS "${roff(path.join(' '))}"`,
    text(`${capital(verb.description())}.`),
    ...described.flatMap(({ term, description }) => ['.TP', term, text(description)]),
    ...optionLines(verb.options),
    ...exampleLines(verb),
  ];
}

function synopsis(path: readonly string[], verb: Command): string {
  const words = verb.registeredArguments.map((argument) => {
    const name = italic(argument.name()) + (argument.variadic ? ' ...' : '');
    return argument.required ? name : `[${name}]`;
  });
  const options = verb.options.length > 0 ? [`[${italic('option')} ...]`] : [];
  return [bold(path.join(' ')), ...words, ...options].join(' ');
}

function optionLines(options: readonly Option[]): string[] {
  return options.flatMap((option) => {
    const choices = option.argChoices ? `: ${option.argChoices.join(', ')}` : '';
    const fallback =
      option.defaultValue === undefined || typeof option.defaultValue === 'boolean'
        ? ''
        : ` (default: ${String(option.defaultValue)})`;
    const needed = option.mandatory ? ' Must be given.' : '';
    const words = `${capital(option.description)}${choices}${fallback}.${needed}`;
    return ['.TP', flags(option), text(words)];
  });
}

/** "-m, --message <text>" with the value in italics. */
function flags(option: Option): string {
  return option.flags
    .split(/([,\s]+)/)
    .map((part) => (/^[<[]/.test(part) ? italic(part.replaceAll(/[<>[\]]/g, '')) : strong(part)))
    .join('');
}

function strong(part: string): string {
  return /^[,\s]+$/.test(part) || part === '' ? part : bold(part);
}

function exampleSection(command: Command): string[] {
  const lines = exampleLines(command);
  return lines.length === 0 ? [] : ['.SH EXAMPLES', ...lines.slice(1)];
}

function exampleLines(command: Command): string[] {
  const lines = examplesOf(command);
  if (lines.length === 0) return [];
  return ['.PP', '.nf', '.RS 4', ...lines.map(text), '.RE', '.fi'];
}

function exitSection(): string[] {
  const lines = exitCodeMeanings.flatMap(([code, meaning]) => [
    '.TP',
    bold(String(code)),
    text(`${capital(meaning)}.`),
  ]);
  return ['.SH "EXIT STATUS"', ...lines];
}

function environment(): string[] {
  const meanings = [
    ['VIGO_CONTEXT', 'As --context.'],
    ['VIGO_HOME', 'As --home.'],
    ['VIGO_SERVER', 'As --server.'],
    ['VIGO_TOKEN_FILE', 'As --token-file.'],
    ['VIGO_CA_FILE', 'As --ca-file.'],
    ['NO_COLOR', 'When it is set, nothing is coloured.'],
    ['COLUMNS', 'Width of tables, instead of that of the terminal.'],
    ['VISUAL, EDITOR', 'What edits a file.'],
  ] as const;
  return meanings.flatMap(([name, meaning]) => ['.TP', bold(name), text(meaning)]);
}

function capital(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1).replace(/\.$/, '');
}

function bold(words: string): string {
  return `\\fB${roff(words)}\\fR`;
}

function italic(words: string): string {
  return `\\fI${roff(words)}\\fR`;
}

/** A line of text: what would be taken for a request begins with a zero-width mark. */
function text(words: string): string {
  const escaped = roff(words.replaceAll(/\s+/g, ' '));
  return /^[.']/.test(escaped) ? `\\&${escaped}` : escaped;
}

function roff(words: string): string {
  return words
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('"', '\\(dq')
    .replaceAll("'", '\\(aq')
    .replaceAll('`', '\\(ga')
    .replaceAll('^', '\\(ha')
    .replaceAll('~', '\\(ti')
    .replaceAll('…', '...');
}

import type { Command, Option } from 'commander';
import { type LiveKind, liveKindOf } from './completion-kinds.ts';

export type Shell = 'bash' | 'zsh' | 'fish';

/** What may be typed behind one command. */
interface Place {
  /** Names below the program, "" for the program itself: "tokens create". */
  readonly path: string;
  readonly commands: readonly Word[];
  readonly options: readonly CompletionOption[];
  /** Values of the first argument, when they are known beforehand. */
  readonly values: readonly string[];
  /** What its arguments name, when the server knows such values. */
  readonly live: LiveKind | undefined;
}

interface Word {
  readonly name: string;
  readonly description: string;
}

interface CompletionOption extends Word {
  readonly short: string | undefined;
  /** Undefined for a flag; [] for a value that only the person knows. */
  readonly values: readonly string[] | undefined;
  readonly path: 'file' | 'directory' | undefined;
  readonly live: LiveKind | undefined;
}

export function completionScript(program: Command, shell: Shell): string {
  const places = collect(program, '', []);
  if (shell === 'bash') return bashScript(program.name(), places);
  if (shell === 'zsh') return zshScript(program.name(), places);
  return fishScript(program.name(), places);
}

/** The tree flattened, parents first. Options of the program may stand behind every command. */
function collect(command: Command, path: string, inherited: readonly CompletionOption[]): Place[] {
  const help = command.createHelp();
  const own = help.visibleOptions(command).map((option) => describeOption(option, path));
  const known = new Set(own.map(({ name }) => name));
  const options = [...own, ...inherited.filter(({ name }) => !known.has(name))];
  const passed = path === '' ? own.filter(({ name }) => name !== '--version') : inherited;
  const commands = help
    .visibleCommands(command)
    .filter((child) => child.name() !== 'help')
    .map((child) => ({ name: child.name(), description: child.description() }));
  const [first] = command.registeredArguments;
  const values = first?.argChoices ?? [];
  const live = first === undefined ? undefined : liveKindOf(path, first.name());
  const below = command.commands.flatMap((child) =>
    collect(child, `${path} ${child.name()}`.trim(), passed),
  );
  return [{ path, commands, options, values, live }, ...below];
}

function describeOption(option: Option, path: string): CompletionOption {
  const takesValue = option.required || option.optional;
  const value = /[<[](.+)[>\]]/.exec(option.flags)?.[1] ?? '';
  return {
    name: option.long ?? option.short ?? '',
    short: option.short,
    description: option.description,
    values: takesValue ? (option.argChoices ?? []) : undefined,
    path: /<(file|export)>/.test(option.flags)
      ? 'file'
      : option.flags.includes('<dir>')
        ? 'directory'
        : undefined,
    live: takesValue ? liveKindOf(path, value, option.long) : undefined,
  };
}

/** Names of the options, of one kind, that take a value. */
function namesWithValue(
  places: readonly Place[],
  fits: (option: CompletionOption) => boolean,
): string[] {
  const found = places
    .flatMap(({ options }) => options)
    .filter((option) => option.values !== undefined && fits(option))
    .flatMap(({ name, short }) => (short ? [name, short] : [name]));
  return [...new Set(found)];
}

/** The same for values that the server knows. */
function liveCases(places: readonly Place[], answer: (kind: LiveKind) => string): string[] {
  const everywhere = new Set(places[0]?.options.map(({ name }) => name));
  return places.flatMap(({ path, options }) =>
    options.flatMap(({ name, live }) => {
      if (live === undefined || (path !== '' && everywhere.has(name))) return [];
      const place = path === '' ? `*" ${name}"` : `"${path} ${name}"`;
      return [`    ${place}) ${answer(live)} ;;`];
    }),
  );
}

/** A `case` body for the words of each command, in the syntax that bash and zsh share. */
function valueCases(places: readonly Place[], answer: (values: readonly string[]) => string) {
  const lines: string[] = [];
  for (const { path, options } of places) {
    for (const { name, values } of options) {
      if (values && values.length > 0) lines.push(`    "${path} ${name}") ${answer(values)} ;;`);
    }
  }
  return lines;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function bashScript(name: string, places: readonly Place[]): string {
  const every = namesWithValue(places, () => true);
  const files = namesWithValue(places, ({ path }) => path === 'file');
  const directories = namesWithValue(places, ({ path }) => path === 'directory');
  const words = places.map(({ path, commands, options, values, live }) => {
    const names = [...commands, ...options].map((word) => word.name);
    const known = live === undefined ? '' : ` live=${live}`;
    return `    ${quote(path)}) words=${quote([...names, ...values].join(' '))}${known} ;;`;
  });
  const parents = places.filter(({ commands }) => commands.length > 0);
  const children = parents.flatMap(({ path, commands }) =>
    commands.map((child) => quote(`${path} ${child.name}`.trim())),
  );
  return `# bash completion of ${name}; made by: ${name} completion bash
_${name}_live() {
  "\${COMP_WORDS[0]}" __complete "$1" "\${COMP_WORDS[@]:1:COMP_CWORD-1}" 2>/dev/null
}
_${name}() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]}
  local path='' words='' live='' word next at
  for ((at = 1; at < COMP_CWORD; at++)); do
    word=\${COMP_WORDS[at]}
    case $word in
      ${every.join('|')}) ((at++)); continue ;;
      -*) continue ;;
    esac
    next=\${path:+$path }$word
    case $next in
      ${children.join('|')}) path=$next ;;
    esac
  done
  COMPREPLY=()
  case "$path $previous" in
${valueCases(places, (values) => {
  const lines = values.map((value) => value.replaceAll(' ', '\\ ')).join('\n');
  return `local IFS=$'\\n'; COMPREPLY=($(compgen -W ${quote(lines)} -- "$current")); return`;
}).join('\n')}
${liveCases(places, (kind) => {
  const values = `$(_${name}_live ${kind})`;
  return `COMPREPLY=($(compgen -W "${values}" -- "$current")); return`;
}).join('\n')}
  esac
  case $previous in
    ${files.join('|')}) COMPREPLY=($(compgen -f -- "$current")); return ;;
    ${directories.join('|')}) COMPREPLY=($(compgen -d -- "$current")); return ;;
    ${every.join('|')}) return ;;
  esac
  case $path in
${words.join('\n')}
  esac
  if [[ -n $live && $current != -* ]]; then words+=" $(_${name}_live "$live")"; fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o filenames -o nosort -F _${name} ${name} 2>/dev/null || complete -F _${name} ${name}
`;
}

function zshScript(name: string, places: readonly Place[]): string {
  const every = namesWithValue(places, () => true);
  const files = namesWithValue(places, ({ path }) => path === 'file');
  const directories = namesWithValue(places, ({ path }) => path === 'directory');
  const describe = (words: readonly Word[]) =>
    words.map((word) => quote(`${word.name}:${word.description.replaceAll(':', '\\:')}`)).join(' ');
  const cases = places.map(({ path, commands, options, values, live }) => {
    const first = [...commands, ...values.map((value) => ({ name: value, description: '' }))];
    const known = live === undefined ? '' : `; live=${live}`;
    const words = `commands=(${describe(first)}); options=(${describe(options)})`;
    return `    ${quote(path)}) ${words}${known} ;;`;
  });
  const children = places.filter(({ path }) => path !== '').map(({ path }) => quote(path));
  return `#compdef ${name}
# zsh completion of ${name}; made by: ${name} completion zsh
_${name}_live() {
  local -a values
  values=(\${(f)"$("$words[1]" __complete "$1" "\${(@)words[2,CURRENT-1]}" 2>/dev/null)"})
  (( $#values )) && compadd -- $values
}
_${name}() {
  local place='' live='' word next at
  local -a commands options
  for ((at = 2; at < CURRENT; at++)); do
    word=$words[at]
    case $word in
      ${every.join('|')}) ((at++)); continue ;;
      -*) continue ;;
    esac
    next=\${place:+$place }$word
    case $next in
      ${children.join('|')}) place=$next ;;
    esac
  done
  case "$place $words[CURRENT-1]" in
${valueCases(places, (values) => `compadd -- ${values.map(quote).join(' ')}; return`).join('\n')}
${liveCases(places, (kind) => `_${name}_live ${kind}; return`).join('\n')}
  esac
  case $words[CURRENT-1] in
    ${files.join('|')}) _files; return ;;
    ${directories.join('|')}) _files -/; return ;;
    ${every.join('|')}) return ;;
  esac
  case $place in
${cases.join('\n')}
  esac
  if [[ -n $live && $words[CURRENT] != -* ]]; then _${name}_live $live && return; fi
  if [[ $words[CURRENT] == -* ]]; then _describe option options
  else _describe command commands || _describe option options
  fi
}
if [ "$funcstack[1]" = "_${name}" ]; then _${name} "$@"; else compdef _${name} ${name}; fi
`;
}

function fishScript(name: string, places: readonly Place[]): string {
  const lines = [`# fish completion of ${name}; made by: ${name} completion fish`];
  lines.push(`complete -c ${name} -f`);
  for (const { path, commands, options, values, live } of places) {
    const names = path.split(' ').filter(Boolean);
    const seen = names.map((each) => `__fish_seen_subcommand_from ${each}`);
    const below = commands.map((child) => child.name).join(' ');
    const here = [...seen, ...(below ? [`not __fish_seen_subcommand_from ${below}`] : [])];
    const when = here.length > 0 ? ` -n ${quote(here.join('; and '))}` : '';
    for (const word of commands) {
      lines.push(`complete -c ${name}${when} -a ${word.name} -d ${quote(word.description)}`);
    }
    if (values.length > 0) lines.push(`complete -c ${name}${when} -a ${quote(values.join(' '))}`);
    if (live !== undefined) lines.push(`complete -c ${name}${when} -a ${fishLive(name, live)}`);
    const fresh = path === '' ? options : options.filter((option) => !isGlobal(option, places));
    for (const option of fresh) lines.push(fishOption(name, path === '' ? '' : when, option));
  }
  return `${lines.join('\n')}\n`;
}

function isGlobal(option: CompletionOption, places: readonly Place[]): boolean {
  return places[0]?.options.some(({ name }) => name === option.name) ?? false;
}

/** Asked when Tab is pressed. */
function fishLive(name: string, kind: LiveKind): string {
  return quote(`(${name} __complete ${kind} (commandline -opc)[2..-1] 2>/dev/null)`);
}

function fishOption(name: string, when: string, option: CompletionOption): string {
  const short = option.short ? ` -s ${option.short.slice(1)}` : '';
  const value = option.values === undefined ? '' : ' -x';
  const place = { file: ' -r -F', directory: " -x -a '(__fish_complete_directories)'" };
  const choices = option.values?.length
    ? ` -a ${quote(option.values.map((each) => each.replaceAll(' ', '\\ ')).join(' '))}`
    : '';
  const live = option.live ? ` -a ${fishLive(name, option.live)}` : '';
  const takes = option.path ? place[option.path] : value + choices + live;
  const description = ` -d ${quote(option.description)}`;
  return `complete -c ${name}${when}${short} -l ${option.name.slice(2)}${takes}${description}`;
}

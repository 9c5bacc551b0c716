import { coversProtected, isProtected, segmentsOf, wildcardMatch } from './guardrail-paths.ts';
import type { GuardLayout } from './guardrails.ts';

/** Variables of one text that are followed. */
const variableLimit = 100;
/** Commands inside commands (`sh -c`, `eval`) that are looked into. */
const nestingLimit = 4;

const wrappers = new Set([
  'sudo',
  'doas',
  'nice',
  'ionice',
  'nohup',
  'time',
  'timeout',
  'env',
  'exec',
  'command',
  'setsid',
  'stdbuf',
  'xargs',
  'busybox',
  'chroot',
]);
const serviceCommands = new Set([
  'systemctl',
  'service',
  'rc-service',
  'rcctl',
  'svcadm',
  'launchctl',
  'initctl',
  'sc',
  'sc.exe',
  'update-rc.d',
  'chkconfig',
  'invoke-rc.d',
]);
const stopWords = new Set([
  'stop',
  'disable',
  'mask',
  'kill',
  'unload',
  'bootout',
  'remove',
  'delete',
  'freeze',
  'isolate',
  'edit',
  'revert',
]);
const killCommands = new Set(['pkill', 'killall', 'killall5', 'skill']);
const packageCommands = new Set([
  'apt',
  'apt-get',
  'aptitude',
  'dpkg',
  'dnf',
  'yum',
  'rpm',
  'zypper',
  'pacman',
  'apk',
  'brew',
  'pkg',
  'pkg_delete',
  'pkgin',
  'snap',
]);
const removeWords = new Set([
  'remove',
  'purge',
  'erase',
  'autoremove',
  'uninstall',
  'del',
  'delete',
  'rm',
  '-r',
  '-R',
  '-e',
  '-P',
  '--remove',
  '--purge',
  '--erase',
  '-Rs',
  '-Rns',
]);
/** Commands that take what lies below a directory along with it. */
const treeCommands = new Set([
  'rm',
  'mv',
  'rmdir',
  'find',
  'shred',
  'chmod',
  'chown',
  'chgrp',
  'rsync',
]);
const writeCommands = new Set([
  ...treeCommands,
  'unlink',
  'truncate',
  'dd',
  'cp',
  'ln',
  'install',
  'tee',
  'chattr',
  'sed',
  'perl',
  'ed',
  'ex',
  'patch',
  'tar',
  'unzip',
  'touch',
  'mount',
  'umount',
  'setfacl',
  'mkdir',
]);

/** Why the shell text would harm Vigo itself, or undefined. Reads words, not meaning. */
export function commandRefusal(text: string, layout: GuardLayout, depth = 0): string | undefined {
  const shell = new ShellState();
  for (const written of simpleCommands(text)) {
    const words = shell.see(written);
    const placed = words.map((word) => shell.place(word));
    const reason =
      simpleRefusal(words, layout) ??
      simpleRefusal(placed, layout) ??
      nestedRefusal(words, layout, depth);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

/** What a text says of itself while it is read: plain variables and where it has gone. */
class ShellState {
  readonly #variables = new Map<string, string>();
  #directory: string | undefined;

  /** The words with the variables that are known put in. */
  see(written: readonly string[]): string[] {
    const words = written.map((word) => this.#fill(word));
    for (const word of words) {
      const assigned = /^([A-Za-z_]\w*)=(.*)$/s.exec(word);
      if (assigned === null) break;
      if (this.#variables.size < variableLimit) this.#variables.set(assigned[1]!, assigned[2]!);
    }
    const [name, target] = words;
    if ((name === 'cd' || name === 'pushd') && target !== undefined)
      this.#directory = target.startsWith('/') ? target : this.place(target);
    return words;
  }

  /** A relative name where it would be; anything else, or in a place that is not known, as it is. */
  place(word: string): string {
    const plain = /^[\w.*?[{]/.test(word);
    return this.#directory === undefined || !plain ? word : `${this.#directory}/${word}`;
  }

  #fill(word: string): string {
    return word.replace(
      /\$(?:\{(\w+)\}|(\w+))/g,
      (whole, braced: string | undefined, bare: string | undefined) =>
        this.#variables.get(braced ?? bare ?? '') ?? whole,
    );
  }
}

function nestedRefusal(
  words: readonly string[],
  layout: GuardLayout,
  depth: number,
): string | undefined {
  if (depth >= nestingLimit) return undefined;
  for (const word of words) {
    if (!/[\s;&|`$]/.test(word)) continue;
    const reason = commandRefusal(word, layout, depth + 1);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

function simpleRefusal(all: readonly string[], layout: GuardLayout): string | undefined {
  const redirected = all.find((word, index) => {
    return index > 0 && all[index - 1] === '>' && protectedPath(word, layout, false);
  });
  if (redirected !== undefined) return `writing ${redirected}, which belongs to Vigo`;
  const words = withoutWrappers(all);
  const name = words[0]?.split('/').pop()?.toLowerCase();
  if (name === undefined) return undefined;
  const rest = words.slice(1);
  if (serviceCommands.has(name) && rest.some((word) => stopWords.has(word.toLowerCase()))) {
    const service = rest.find((word) => protectedService(word, layout));
    if (service !== undefined) return `stopping or disabling ${service}, which keeps Vigo running`;
  }
  if (killCommands.has(name)) {
    const victim = rest.find((word) => !word.startsWith('-') && mayMeanVigo(word));
    if (victim !== undefined) return `killing ${victim}, which keeps Vigo running`;
  }
  if (packageCommands.has(name) && rest.some((word) => removeWords.has(word))) {
    const removed = rest.find((word) =>
      layout.packages.some((entry) => wildcardMatch(word.toLowerCase(), entry)),
    );
    if (removed !== undefined) return `removing package ${removed}, which is part of Vigo`;
  }
  if (!writeCommands.has(name)) return undefined;
  const recursive = !name.startsWith('ch') || rest.some((word) => /^-\w*R|^--recursive/.test(word));
  const tree = recursive && treeCommands.has(name);
  const path = rest.find((word) => protectedPath(word, layout, tree));
  return path === undefined ? undefined : `${name} on ${path}, which belongs to Vigo`;
}

function withoutWrappers(words: readonly string[]): readonly string[] {
  let start = 0;
  let wrapped = false;
  for (; start < words.length; start += 1) {
    const word = words[start]!;
    const name = word.split('/').pop()!;
    if (wrappers.has(name)) wrapped = true;
    // After a wrapper: its options and their values, up to the first word that is a command we know.
    else if (!/^\w+=/.test(word) && !(wrapped && isWrapperArgument(word))) break;
  }
  return words.slice(start);
}

function isWrapperArgument(word: string): boolean {
  return word.startsWith('-') || /^\d+[smhd]?$/.test(word);
}

function protectedPath(word: string, layout: GuardLayout, tree: boolean): boolean {
  const path = word.slice(word.lastIndexOf('=') + 1);
  if (!path.startsWith('/')) return false;
  const segments = segmentsOf(path);
  if (isProtected(segments, layout.paths) !== undefined) return true;
  return tree && coversProtected(segments, layout.paths) !== undefined;
}

function protectedService(word: string, layout: GuardLayout): boolean {
  const name = word.toLowerCase().replace(/\.service$/, '');
  return layout.services.some(
    (entry) => name.endsWith(entry.toLowerCase()) || wildcardMatch(name, entry.toLowerCase()),
  );
}

/** pkill takes a regular expression, killall a name; either may reach a process of ours. */
function mayMeanVigo(word: string): boolean {
  const name = word.toLowerCase();
  if (name.includes('vigo')) return true;
  const plain = name
    .replace(/[\^$\\()[\]+]/g, '')
    .replace(/\.\*/g, '*')
    .replaceAll('.', '?');
  return ['vigo', 'vigosrv', 'vigo-envoy'].some((entry) => wildcardMatch(plain, entry));
}

/** Words of each simple command, quotes removed; `>` stands alone before what it writes. */
function simpleCommands(text: string): string[][] {
  const commands: string[][] = [[]];
  let word: string | undefined;
  let quote: string | undefined;
  const endWord = () => {
    if (word !== undefined) commands[commands.length - 1]!.push(word);
    word = undefined;
  };
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index]!;
    if (quote !== undefined) {
      if (character === quote) quote = undefined;
      else if (character === '\\' && quote === '"') word = (word ?? '') + (text[++index] ?? '');
      else word = (word ?? '') + character;
    } else if (character === '"' || character === "'") {
      quote = character;
      word ??= '';
    } else if (character === '\\') {
      index += 1;
      if (text[index] !== '\n') word = (word ?? '') + (text[index] ?? '');
    } else if (character === '>') {
      endWord();
      if (commands[commands.length - 1]!.at(-1) !== '>') commands[commands.length - 1]!.push('>');
    } else if (/[;&|\n`()]/.test(character)) {
      endWord();
      commands.push([]);
    } else if (/\s/.test(character)) {
      endWord();
    } else {
      word = (word ?? '') + character;
    }
  }
  endWord();
  return commands.filter((words) => words.length > 0);
}

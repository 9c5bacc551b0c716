/** Makes random templates from a grammar; the same seed makes the same ones. */
export class TemplateGrammar {
  #state: number;
  #variables: string[] = [];
  #loops = 0;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  template(): string {
    this.#variables = [];
    this.#loops = 0;
    const text = this.#list(0);
    return this.#chance(0.1) ? this.#broken(text) : text;
  }

  /** mulberry32 */
  #random(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let x = this.#state;
    x = Math.imul(x ^ (x >>> 15), x | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 4294967296;
  }

  #chance(probability: number): boolean {
    return this.#random() < probability;
  }

  #pick<T>(items: readonly T[]): T {
    return items[Math.floor(this.#random() * items.length)]!;
  }

  #list(depth: number): string {
    const count = 1 + Math.floor(this.#random() * (depth === 0 ? 3 : 2));
    return Array.from({ length: count }, () => this.#node(depth)).join('');
  }

  #node(depth: number): string {
    const text = this.#pick(['a', ' b ', '\n', ' c\n', '', '<', '}']);
    if (depth > 2 || this.#chance(0.5 + 0.1 * depth)) return text + this.#action();
    const scope = this.#variables.length;
    const block = this.#pick([
      () => this.#if(depth),
      () => this.#range(depth),
      () => this.#with(depth),
    ]);
    const made = text + block();
    this.#variables.length = scope;
    return made;
  }

  #braces(inside: string): string {
    const open = this.#chance(0.12) ? '{{- ' : this.#pick(['{{', '{{ ']);
    return open + inside + (this.#chance(0.12) ? ' -}}' : this.#pick(['}}', ' }}']));
  }

  #action(): string {
    if (this.#loops > 0 && this.#chance(0.06))
      return this.#braces(this.#pick(['break', 'continue']));
    if (this.#chance(0.15)) {
      const value = this.#pipe(1);
      const name = this.#pick(['$x', '$y', '$z']);
      const known = this.#variables.includes(name);
      if (known && this.#chance(0.5)) return this.#braces(`${name} = ${value}`);
      this.#variables.push(name);
      return this.#braces(`${name} := ${value}`);
    }
    return this.#braces(this.#pipe(0));
  }

  #if(depth: number): string {
    let made = this.#braces(`if ${this.#pipe(0)}`) + this.#list(depth + 1);
    while (this.#chance(0.25))
      made += this.#braces(`else if ${this.#pipe(0)}`) + this.#list(depth + 1);
    if (this.#chance(0.5)) made += this.#braces('else') + this.#list(depth + 1);
    return made + this.#braces('end');
  }

  #with(depth: number): string {
    let made = this.#braces(`with ${this.#pipe(0)}`) + this.#list(depth + 1);
    if (this.#chance(0.4)) made += this.#braces('else') + this.#list(depth + 1);
    return made + this.#braces('end');
  }

  #range(depth: number): string {
    const over = this.#pick([
      '.list',
      '.numbers',
      '.map',
      '.users',
      '.nothing',
      '.nested',
      '$.list',
      '.mixed',
    ]);
    const declared = this.#pick(['', '$v := ', '$i, $v := ']);
    const head = this.#braces(`range ${declared}${over}`);
    if (declared !== '') this.#variables.push('$v');
    if (declared.includes('$i')) this.#variables.push('$i');
    this.#loops += 1;
    let made = head + this.#list(depth + 1);
    this.#loops -= 1;
    if (this.#chance(0.3)) made += this.#braces('else') + this.#list(depth + 1);
    return made + this.#braces('end');
  }

  #pipe(depth: number): string {
    let made = this.#command(depth);
    while (this.#chance(0.15)) made += ` | ${this.#pick(stages)}`;
    return made;
  }

  #command(depth: number): string {
    if (depth > 1 || this.#chance(0.5)) return this.#operand('any', depth);
    const a = (kind: Kind = 'any') => this.#operand(kind, depth);
    const same = this.#pick(['text', 'int', 'float'] as const);
    return this.#pick([
      () => `and ${a()} ${a()}`,
      () => `or ${a()} ${a()}`,
      () => `not ${a()}`,
      () => `${this.#pick(['eq', 'ne', 'lt', 'le', 'gt', 'ge'])} ${a(same)} ${a(same)}`,
      () => `eq ${a(same)} ${a(same)} ${a(same)}`,
      () => `len ${a(this.#pick(['text', 'list', 'map'] as const))}`,
      () => `index ${a('list')} ${this.#pick(['0', '1', '2'])}`,
      () => `index ${a('map')} ${a('text')}`,
      () => `slice ${a('list')} ${this.#pick(['0', '1', '1 2', '0 1', '2 3'])}`,
      () => `slice .name ${this.#pick(['0', '1', '1 2', '0 3', '3'])}`,
      () => `print ${a()} ${a()} ${a()}`,
      () => `println ${a()} ${a()}`,
      () => `printf ${this.#format()} ${a()} ${a()}`,
      () => `${this.#pick(['html', 'js', 'urlquery'])} ${a()} ${a()}`,
      () => `list ${a()} ${a()}`,
    ])();
  }

  #format(): string {
    const verb = () => {
      const flags = this.#pick(['', '', '', '-', '+', '#', '0', ' ', '+0', '-#']);
      const width = this.#pick(['', '', '', '3', '8', '12']);
      const precision = this.#pick(['', '', '', '.0', '.2', '.5']);
      return `%${flags}${width}${precision}${this.#pick([...'vvdsqxXfegtTcUbo'])}`;
    };
    return `"${verb()}|${verb()}${this.#chance(0.1) ? verb() : ''}"`;
  }

  #operand(wanted: Kind, depth: number): string {
    const kind = this.#chance(0.02) ? 'wrong' : wanted;
    if (kind === 'any' && this.#variables.length > 0 && this.#chance(0.25)) {
      return this.#pick(this.#variables);
    }
    if (kind === 'any' && depth < 2 && this.#chance(0.2)) return `(${this.#pipe(depth + 1)})`;
    const group =
      kind === 'any' ? this.#pick(['text', 'int', 'float', 'list', 'map'] as const) : kind;
    return this.#pick(operands[group]);
  }

  /** Takes out, doubles or changes a character, or ends early. */
  #broken(text: string): string {
    const at = Math.floor(this.#random() * text.length);
    return this.#pick([
      () => text.slice(0, at) + text.slice(at + 1),
      () => text.slice(0, at) + (text[at] ?? '') + text.slice(at),
      () => text.slice(0, at) + this.#pick([...'{}()|.$:="`\' -xi0%']) + text.slice(at + 1),
      () => text.slice(0, at),
    ])();
  }
}

type Kind = 'any' | 'text' | 'int' | 'float' | 'list' | 'map' | 'wrong';

const operands: Readonly<Record<Exclude<Kind, 'any'>, readonly string[]>> = {
  text: ['$.name', '$.uni', '$.html', '$.os.family', '$.map.m', '"a"', '"z"', '""', '`r`', '$.ctl'],
  int: ['$.port', '$.neg', '$.zero', '$.map.z', '1', '0', '-3', "'c'", '0x1f', '(len $.list)'],
  float: ['$.ratio', '$.big', '$.tiny', '$.third', '2.5', '1.0', '1e3', '-0.25'],
  list: ['$.list', '$.numbers', '$.nested', '$.users', '$.mixed', '$.map.a.b'],
  map: ['$.map', '$.map.a', '$.os', '$.none_map', '.'],
  wrong: ['.nope', '.uid', '$.none', 'nil', 'true', '$.on', '$.off', '$', '.', '$.empty', '.name'],
};

const stages = [
  'print',
  'len',
  'printf "%v"',
  'printf "%q"',
  'printf "%8v|"',
  'html',
  'not',
  'and 1',
  'or 0',
  'print 1',
];

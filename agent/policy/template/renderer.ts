import { closestName } from '../closest.ts';
import type {
  BranchNode,
  CallNode,
  Command,
  Operand,
  Pipe,
  TemplateNode,
  TemplateSet,
} from './ast.ts';
import { BoundedText, renderOutputLimit, TextLimit } from './bounded-text.ts';
import { Budget, renderStepLimit, StepLimit } from './budget.ts';
import { formatValue } from './format-verb.ts';
import { type TemplateFunction, templateFunctions, wantedArguments } from './functions.ts';
import { templateError } from './position.ts';
import type { Reads } from './reads.ts';
import {
  float,
  isList,
  isMap,
  isTrue,
  sortedKeys,
  typeName,
  Unknown,
  type Value,
} from './values.ts';
import type { Watch } from './watch.ts';

/** Blocks, parentheses and templates that may be open at the same time while rendering. */
export const renderDepthLimit = 400;

/** Names of a map that a missing one is compared with. */
const comparedNamesLimit = 1000;

type Flow = 'next' | 'break' | 'continue';

interface Variable {
  readonly name: string;
  value: Value;
}

/** What `{{ }}` sees: the dot, and whether a missing key is nil instead of an error. */
interface Scope {
  readonly dot: Value;
  readonly tolerant: boolean;
}

/** One rendering of one template. */
export class Renderer {
  readonly #source: string;
  readonly #set: TemplateSet;
  readonly #root: Value;
  readonly #reads: Reads | undefined;
  readonly #watch: Watch | undefined;
  readonly #out = new BoundedText();
  readonly #budget = new Budget();
  #variables: Variable[];
  #depth = 0;
  /** Where the rendering is, for limits that are met inside functions. */
  #offset = 0;

  /** With `watch` mistakes are told to it and values may be unknown; see checkTemplate. */
  constructor(
    source: string,
    set: TemplateSet,
    root: Value,
    { reads, watch }: { readonly reads?: Reads | undefined; readonly watch?: Watch } = {},
  ) {
    this.#source = source;
    this.#set = set;
    this.#root = root;
    this.#reads = reads;
    this.#watch = watch;
    this.#variables = [{ name: '$', value: root }];
  }

  run(): string {
    try {
      this.#walk(this.#set.root, this.#root);
      return this.#out.toString();
    } catch (error) {
      if (error instanceof TextLimit) {
        throw this.#limit(`more than ${renderOutputLimit} characters of text`);
      }
      if (error instanceof StepLimit) throw this.#limit(`more than ${renderStepLimit} steps`);
      throw error;
    }
  }

  #walk(nodes: readonly TemplateNode[], dot: Value): Flow {
    this.#enter();
    for (const node of nodes) {
      const flow = this.#watch === undefined ? this.#node(node, dot) : this.#watched(node, dot);
      if (flow === 'next') continue;
      this.#depth -= 1;
      return flow;
    }
    this.#depth -= 1;
    return 'next';
  }

  #node(node: TemplateNode, dot: Value): Flow {
    switch (node.kind) {
      case 'text':
        this.#at(node.offset);
        this.#out.add(node.text);
        return 'next';
      case 'break':
      case 'continue':
        return node.kind;
      case 'action': {
        const value = this.#bound(node.pipe, dot);
        if (node.pipe.variables.length === 0) this.#print(value, node.pipe.offset);
        return 'next';
      }
      case 'template':
        this.#template(node, dot);
        return 'next';
      default:
        return this.#branch(node, dot);
    }
  }

  /** After a mistake the rest is looked at too; what the mistake would have made is unknown. */
  #watched(node: TemplateNode, dot: Value): Flow {
    const depth = this.#depth;
    const variables = this.#variables;
    try {
      return this.#node(node, dot);
    } catch (error) {
      this.#watch!.mistake(error);
      this.#depth = depth;
      this.#variables = variables;
      if (node.kind === 'action') this.#forget(node.pipe);
      return 'next';
    }
  }

  #forget(pipe: Pipe): void {
    for (const name of pipe.variables) {
      const known = this.#variables.findLast((variable) => variable.name === name);
      if (!pipe.assigns) this.#variables.push({ name, value: new Unknown() });
      else if (known !== undefined) known.value = new Unknown();
    }
  }

  #condition(pipe: Pipe, dot: Value): Value {
    if (this.#watch === undefined) return this.#bound(pipe, dot);
    const depth = this.#depth;
    try {
      return this.#bound(pipe, dot);
    } catch (error) {
      this.#watch.mistake(error);
      this.#depth = depth;
      this.#forget(pipe);
      return new Unknown();
    }
  }

  /** Walks all ways that a branch may take; variables that any of them changes become unknown. */
  #everyWay(node: BranchNode, dot: Value, value: Unknown): Flow {
    this.#watch!.unknown();
    const before = this.#variables.map(({ value }) => value);
    const inner = { if: dot, with: value, range: new Unknown() }[node.kind];
    const changed = new Set<Variable>();
    for (const [nodes, its] of [
      [node.body, inner],
      [node.otherwise, dot],
    ] as const) {
      this.#walk(nodes, its);
      this.#variables.length = before.length;
      for (const [at, variable] of this.#variables.entries()) {
        if (variable.value !== before[at]) changed.add(variable);
        variable.value = before[at];
      }
    }
    for (const variable of changed) variable.value = new Unknown();
    return 'next';
  }

  #branch(node: BranchNode, dot: Value): Flow {
    const scope = this.#variables.length;
    const value = this.#condition(node.pipe, dot);
    let flow: Flow;
    if (value instanceof Unknown) flow = this.#everyWay(node, dot, value);
    else if (node.kind === 'range') flow = this.#range(node, dot, value);
    else if (isTrue(value)) flow = this.#walk(node.body, node.kind === 'with' ? value : dot);
    else flow = this.#walk(node.otherwise, dot);
    this.#variables.length = scope;
    return flow;
  }

  #range(node: BranchNode, dot: Value, value: Value): Flow {
    const { variables, assigns, offset } = node.pipe;
    const items = entries(value);
    if (items === undefined) {
      throw this.#error(offset, `range can't iterate over ${formatValue(value)}`);
    }
    if (items.length === 0) return this.#walk(node.otherwise, dot);
    const scope = this.#variables.length;
    for (const [key, item] of items) {
      this.#at(offset);
      const values = variables.length === 2 ? [key, item] : [item];
      for (const [position, name] of variables.entries()) {
        if (assigns) this.#assign(name, values[position], offset);
        else this.#variables[scope - variables.length + position]!.value = values[position];
      }
      const flow = this.#walk(node.body, item);
      this.#variables.length = scope;
      if (flow === 'break') break;
    }
    return 'next';
  }

  #template(node: CallNode, dot: Value): void {
    const body = this.#set.defined.get(node.name);
    if (body === undefined) {
      throw this.#error(node.offset, `template ${JSON.stringify(node.name)} is not defined`);
    }
    const value = node.pipe === undefined ? undefined : this.#bound(node.pipe, dot, true);
    const variables = this.#variables;
    this.#variables = [{ name: '$', value }];
    this.#at(node.offset);
    this.#walk(body, value);
    this.#variables = variables;
  }

  /** The pipe's value, given to the variables that it declares. */
  #bound(pipe: Pipe, dot: Value, isPassedOn = false): Value {
    const passesOn = isPassedOn || pipe.variables.length > 0;
    const value =
      passesOn && this.#isRoot(pipe, dot) ? this.#root : this.#pipe(pipe, { dot, tolerant: false });
    for (const name of pipe.variables) {
      if (pipe.assigns) this.#assign(name, value, pipe.offset);
      else this.#variables.push({ name, value });
    }
    return value;
  }

  /** `.` or `$` alone where it is the data as a whole: passing it on reads nothing of it yet. */
  #isRoot(pipe: Pipe, dot: Value): boolean {
    const { operands } = pipe.commands[0]!;
    const operand = operands[0]!;
    if (pipe.commands.length > 1 || operands.length > 1) return false;
    if (operand.kind === 'dot') return dot === this.#root;
    if (operand.kind !== 'variable' || operand.path.length > 0) return false;
    return this.#variable(operand.name, operand.offset).value === this.#root;
  }

  #assign(name: string, value: Value, offset: number): void {
    this.#variable(name, offset).value = value;
  }

  #variable(name: string, offset: number): Variable {
    const found = this.#variables.findLast((variable) => variable.name === name);
    if (found === undefined) throw this.#error(offset, `undefined variable ${name}`);
    return found;
  }

  #pipe(pipe: Pipe, scope: Scope): Value {
    this.#enter();
    const tolerant = scope.tolerant || pipe.commands.some(toleratesMissing);
    let value: Value;
    let piped = false;
    for (const command of pipe.commands) {
      value = this.#command(command, { dot: scope.dot, tolerant }, piped, value) ?? undefined;
      piped = true;
    }
    // Go's: variables that a pipeline in parentheses declares live on after it.
    this.#depth -= 1;
    return value;
  }

  #command(command: Command, scope: Scope, piped: boolean, value: Value): Value {
    this.#at(command.offset);
    const first = command.operands[0]!;
    const operands = command.operands.slice(1);
    if (first.kind === 'function' && first.path.length === 0) {
      return this.#call(first.name, operands, scope, piped ? [value] : [], first.offset);
    }
    if (operands.length > 0 || piped) {
      throw this.#error(first.offset, 'only a function takes arguments');
    }
    if (first.kind === 'nil') throw this.#error(first.offset, 'nil is not a command');
    return this.#operand(first, scope);
  }

  #call(
    name: string,
    operands: readonly Operand[],
    scope: Scope,
    piped: readonly Value[],
    offset: number,
  ): Value {
    const callee = templateFunctions.get(name)!;
    const given = operands.length + piped.length;
    if (given < callee.least || given > callee.most) {
      throw this.#error(offset, wantedArguments(name, callee, given));
    }
    const args: Value[] = [];
    for (const operand of operands) {
      const value = this.#operand(operand, scope);
      if (!(value instanceof Unknown) && callee.stopAt?.(value)) return value;
      args.push(value);
    }
    args.push(...piped);
    if (this.#watch !== undefined && args.some((value) => this.#isUnknown(value))) {
      return new Unknown();
    }
    return this.#run(callee, args, offset);
  }

  #run(callee: TemplateFunction, args: readonly Value[], offset: number): Value {
    this.#at(offset);
    for (const value of args) this.#budget.spendOn(value);
    const result = callee.run(args, (reason) => {
      throw this.#error(offset, reason);
    });
    this.#budget.spendOn(result);
    return result;
  }

  #operand(operand: Operand, scope: Scope): Value {
    switch (operand.kind) {
      case 'dot':
        return this.#whole(scope.dot);
      case 'nil':
        return null;
      case 'literal':
        return operand.isFloat === true ? float(operand.value) : operand.value;
      case 'field':
        return this.#fields(scope.dot, operand, '', scope.tolerant);
      case 'variable': {
        const { value } = this.#variable(operand.name, operand.offset);
        if (operand.path.length === 0) return this.#whole(value);
        return this.#fields(value, operand, operand.name, scope.tolerant);
      }
      case 'pipe': {
        const value = this.#bindInside(operand.pipe, scope);
        return this.#fields(value, operand, '(...)', scope.tolerant);
      }
      case 'function': {
        const value = this.#call(operand.name, [], scope, [], operand.offset);
        return this.#fields(value, operand, operand.name, scope.tolerant);
      }
    }
  }

  #bindInside(pipe: Pipe, scope: Scope): Value {
    const value = this.#pipe(pipe, scope);
    for (const name of pipe.variables) {
      if (pipe.assigns) this.#assign(name, value, pipe.offset);
      else this.#variables.push({ name, value });
    }
    return value;
  }

  #whole(value: Value): Value {
    if (value === this.#root && isMap(value)) {
      this.#reads?.add([], undefined);
      this.#watch?.unknown();
    }
    return value;
  }

  /** The data as a whole has unknown values in it. */
  #isUnknown(value: Value): boolean {
    return value instanceof Unknown || (value === this.#root && isMap(value));
  }

  #fields(
    start: Value,
    operand: { readonly path: readonly string[]; readonly offset: number },
    prefix: string,
    tolerant: boolean,
  ): Value {
    let value = start;
    for (const [position, name] of operand.path.entries()) {
      if (value instanceof Unknown) {
        value = this.#watch!.field(value, operand, position);
        continue;
      }
      const missing = value === null || value === undefined;
      if (!missing && !isMap(value)) {
        throw this.#error(operand.offset, `can't take field ${name} of type ${typeName(value)}`);
      }
      if (missing || !isMap(value) || !Object.hasOwn(value, name)) {
        if (start === this.#root) this.#reads?.add(operand.path, undefined);
        if (tolerant) return undefined;
        const above = [prefix, ...operand.path.slice(0, position)].join('.');
        throw this.#missing(above, name, value, operand.offset);
      }
      value = value[name];
    }
    if (start === this.#root && operand.path.length > 0) this.#reads?.add(operand.path, value);
    return value;
  }

  #missing(above: string, name: string, value: Value, offset: number): Error {
    const names = isMap(value) ? Object.keys(value).slice(0, comparedNamesLimit) : [];
    const meant = closestName(name, names);
    return templateError('POLICY_TEMPLATE_MISSING_KEY', this.#source, offset, {
      path: `${above}.${name}`,
      ...(meant === undefined ? {} : { suggestion: `${above}.${meant}` }),
    });
  }

  #print(value: Value, offset: number): void {
    if (value === null || value === undefined) throw this.#error(offset, 'the value is null');
    this.#at(offset);
    if (value instanceof Unknown) this.#watch!.unknown();
    else this.#out.add(formatValue(value));
  }

  #enter(): void {
    this.#depth += 1;
    if (this.#depth > renderDepthLimit) throw this.#limit(`more than ${renderDepthLimit} levels`);
  }

  #at(offset: number): void {
    this.#offset = offset;
    this.#budget.spend(1);
  }

  #limit(reason: string): Error {
    return templateError('POLICY_TEMPLATE_LIMIT', this.#source, this.#offset, { reason });
  }

  #error(offset: number, reason: string): Error {
    return templateError('POLICY_TEMPLATE_EXECUTION', this.#source, offset, { reason });
  }
}

function toleratesMissing(command: Command): boolean {
  const first = command.operands[0]!;
  return first.kind === 'function' && templateFunctions.get(first.name)!.toleratesMissing === true;
}

function entries(value: Value): [Value, Value][] | undefined {
  if (value === null || value === undefined) return [];
  if (isList(value)) return value.map((item, position) => [position, item]);
  if (!isMap(value)) return undefined;
  return sortedKeys(value).map((key) => [key, value[key]]);
}

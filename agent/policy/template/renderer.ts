import type { PolicyValue } from '../../protocol/bundle.ts';
import type { BranchNode, Command, Operand, Pipe, TemplateNode } from './ast.ts';
import { type TemplateFunction, templateFunctions } from './functions.ts';
import { templateError } from './position.ts';
import { formatValue, isList, isMap, isTrue, sortedKeys, typeName } from './values.ts';

/** Nodes and commands that one rendering may execute. */
export const renderStepLimit = 200_000;
/** Longest output and longest text that a function may make, in UTF-16 units. */
export const renderOutputLimit = 4_194_304;

type Flow = 'next' | 'break' | 'continue';

interface Variable {
  readonly name: string;
  value: PolicyValue;
}

/** One rendering of one template. */
export class Renderer {
  readonly #source: string;
  readonly #variables: Variable[];
  readonly #chunks: string[] = [];
  #length = 0;
  #steps = 0;

  constructor(source: string, root: PolicyValue) {
    this.#source = source;
    this.#variables = [{ name: '$', value: root }];
  }

  run(nodes: readonly TemplateNode[]): string {
    this.#walk(nodes, this.#variables[0]!.value);
    return this.#chunks.join('');
  }

  #walk(nodes: readonly TemplateNode[], dot: PolicyValue): Flow {
    for (const node of nodes) {
      const flow = this.#node(node, dot);
      if (flow !== 'next') return flow;
    }
    return 'next';
  }

  #node(node: TemplateNode, dot: PolicyValue): Flow {
    switch (node.kind) {
      case 'text':
        this.#write(node.text, 0);
        return 'next';
      case 'break':
      case 'continue':
        return node.kind;
      case 'action': {
        const value = this.#pipe(node.pipe, dot, false);
        this.#bind(node.pipe, value);
        if (node.pipe.variables.length === 0) this.#print(value, node.pipe.offset);
        return 'next';
      }
      default:
        return this.#branch(node, dot);
    }
  }

  #branch(node: BranchNode, dot: PolicyValue): Flow {
    const scope = this.#variables.length;
    const value = this.#pipe(node.pipe, dot, false);
    let flow: Flow;
    if (node.kind === 'range') {
      flow = this.#range(node, dot, value);
    } else {
      this.#bind(node.pipe, value);
      const inner = node.kind === 'with' ? value : dot;
      flow = isTrue(value) ? this.#walk(node.body, inner) : this.#walk(node.otherwise, dot);
    }
    this.#variables.length = scope;
    return flow;
  }

  #range(node: BranchNode, dot: PolicyValue, value: PolicyValue): Flow {
    const { offset } = node.pipe;
    if (value !== null && typeof value !== 'object') {
      throw this.#error(offset, `range can't iterate over ${formatValue(value)}`);
    }
    const items = entries(value);
    if (items.length === 0) return this.#walk(node.otherwise, dot);
    const names = node.pipe.variables;
    const scope = this.#variables.length;
    for (const [key, item] of items) {
      this.#step(offset);
      const values = names.length === 2 ? [key, item] : [item];
      for (const [position, name] of names.entries()) {
        this.#set(name, values[position]!, node.pipe.assigns);
      }
      const flow = this.#walk(node.body, item);
      this.#variables.length = scope;
      if (flow === 'break') break;
    }
    return 'next';
  }

  #bind(pipe: Pipe, value: PolicyValue): void {
    for (const name of pipe.variables) this.#set(name, value, pipe.assigns);
  }

  #set(name: string, value: PolicyValue, assigns: boolean): void {
    if (!assigns) this.#variables.push({ name, value });
    else this.#variables.findLast((variable) => variable.name === name)!.value = value;
  }

  #pipe(pipe: Pipe, dot: PolicyValue, tolerant: boolean): PolicyValue {
    const lenient = tolerant || pipe.commands.some(toleratesMissing);
    let value: PolicyValue | undefined;
    for (const command of pipe.commands) value = this.#command(command, dot, value, lenient);
    return value!;
  }

  #command(
    command: Command,
    dot: PolicyValue,
    piped: PolicyValue | undefined,
    lenient: boolean,
  ): PolicyValue {
    this.#step(command.offset);
    const [first, ...operands] = command.operands;
    if (first!.kind !== 'function') return this.#operand(first!, dot, lenient);
    const callee = templateFunctions.get(first!.name)!;
    const args: PolicyValue[] = [];
    for (const operand of operands) {
      args.push(this.#operand(operand, dot, lenient));
      if (callee.stopAt?.(args[args.length - 1]!)) return args[args.length - 1]!;
    }
    if (piped !== undefined) args.push(piped);
    return this.#call(callee, args, first!.offset);
  }

  #call(callee: TemplateFunction, args: readonly PolicyValue[], offset: number): PolicyValue {
    const result = callee.run(args, (reason) => {
      throw this.#error(offset, reason);
    });
    if (typeof result === 'string') this.#checkLength(result.length, offset);
    if (typeof result === 'object' && result !== null) this.#steps += Object.keys(result).length;
    return result;
  }

  #operand(operand: Operand, dot: PolicyValue, lenient: boolean): PolicyValue {
    switch (operand.kind) {
      case 'dot':
        return dot;
      case 'nil':
        return null;
      case 'literal':
        return operand.value;
      case 'field':
        return this.#fields(dot, operand, '', lenient);
      case 'variable': {
        const found = this.#variables.findLast((variable) => variable.name === operand.name)!;
        return this.#fields(found.value, operand, operand.name, lenient);
      }
      case 'pipe':
        return this.#fields(this.#pipe(operand.pipe, dot, lenient), operand, '(...)', lenient);
      case 'function': {
        const callee = templateFunctions.get(operand.name)!;
        if (callee.least > 0) {
          throw this.#error(operand.offset, `put ${operand.name} and its arguments in parentheses`);
        }
        return this.#call(callee, [], operand.offset);
      }
    }
  }

  #fields(
    start: PolicyValue,
    operand: { readonly path: readonly string[]; readonly offset: number },
    prefix: string,
    lenient: boolean,
  ): PolicyValue {
    let value = start;
    for (const [position, name] of operand.path.entries()) {
      if (value !== null && !isMap(value)) {
        throw this.#error(operand.offset, `can't take field ${name} of type ${typeName(value)}`);
      }
      if (value === null || !Object.hasOwn(value, name)) {
        if (lenient) return null;
        const path = `${prefix}.${operand.path.slice(0, position + 1).join('.')}`;
        throw templateError('POLICY_TEMPLATE_MISSING_KEY', this.#source, operand.offset, { path });
      }
      value = value[name]!;
    }
    return value;
  }

  #print(value: PolicyValue, offset: number): void {
    if (value === null) throw this.#error(offset, 'the value is null');
    this.#write(formatValue(value), offset);
  }

  #write(text: string, offset: number): void {
    this.#step(offset);
    this.#length += text.length;
    this.#checkLength(this.#length, offset);
    this.#chunks.push(text);
  }

  #checkLength(length: number, offset: number): void {
    if (length > renderOutputLimit) {
      const reason = `more than ${renderOutputLimit} characters of output`;
      throw templateError('POLICY_TEMPLATE_LIMIT', this.#source, offset, { reason });
    }
  }

  #step(offset: number): void {
    this.#steps += 1;
    if (this.#steps > renderStepLimit) {
      const reason = `more than ${renderStepLimit} steps`;
      throw templateError('POLICY_TEMPLATE_LIMIT', this.#source, offset, { reason });
    }
  }

  #error(offset: number, reason: string): Error {
    return templateError('POLICY_TEMPLATE_EXECUTION', this.#source, offset, { reason });
  }
}

function toleratesMissing(command: Command): boolean {
  const first = command.operands[0]!;
  return first.kind === 'function' && templateFunctions.get(first.name)!.toleratesMissing === true;
}

function entries(value: PolicyValue): [PolicyValue, PolicyValue][] {
  if (value === null) return [];
  if (isList(value)) return value.map((item, position) => [position, item]);
  if (!isMap(value)) return [];
  return sortedKeys(value).map((key) => [key, value[key]!]);
}

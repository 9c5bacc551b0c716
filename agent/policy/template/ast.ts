export type TemplateNode =
  | { readonly kind: 'text'; readonly text: string; readonly offset: number }
  | { readonly kind: 'action'; readonly pipe: Pipe }
  | BranchNode
  | CallNode
  | { readonly kind: 'break' }
  | { readonly kind: 'continue' };

/** if, range and with have the same shape; what `.` is in the body differs. */
export interface BranchNode {
  readonly kind: 'if' | 'range' | 'with';
  readonly pipe: Pipe;
  readonly body: readonly TemplateNode[];
  readonly otherwise: readonly TemplateNode[];
  readonly offset: number;
}

/** {{ template "name" pipeline }}; also what {{ block }} leaves in its place. */
export interface CallNode {
  readonly kind: 'template';
  readonly name: string;
  readonly pipe: Pipe | undefined;
  readonly offset: number;
}

/** `$x := a | b`: the value of each command is the last argument of the next. */
export interface Pipe {
  readonly variables: readonly string[];
  /** `=` instead of `:=`. */
  readonly assigns: boolean;
  readonly commands: readonly Command[];
  readonly offset: number;
}

export interface Command {
  readonly operands: readonly Operand[];
  readonly offset: number;
}

export type Operand = (
  | { readonly kind: 'dot' }
  | { readonly kind: 'field'; readonly path: readonly string[] }
  | { readonly kind: 'variable'; readonly name: string; readonly path: readonly string[] }
  | { readonly kind: 'pipe'; readonly pipe: Pipe; readonly path: readonly string[] }
  | { readonly kind: 'function'; readonly name: string; readonly path: readonly string[] }
  | Literal
  | { readonly kind: 'nil' }
) & { readonly offset: number };

/** `isFloat` tells 1.0 from 1. */
export type Literal =
  | { readonly kind: 'literal'; readonly value: string | boolean; readonly isFloat?: undefined }
  | { readonly kind: 'literal'; readonly value: number; readonly isFloat: boolean };

/** A template with the others that it defines, by name. */
export interface TemplateSet {
  readonly root: readonly TemplateNode[];
  readonly defined: ReadonlyMap<string, readonly TemplateNode[]>;
}

import type { PolicyValue } from '../../protocol/bundle.ts';
import type { FormatName } from './formats.ts';

/** Operating systems by the names of `.Traits.os.name` and of the reference pages. */
export type PlatformName =
  | 'linux'
  | 'macos'
  | 'freebsd'
  | 'openbsd'
  | 'netbsd'
  | 'illumos'
  | 'windows';

/**
 * One parameter of a resource type: data only. The validator, the editor's JSON Schema, the
 * TypeScript type of the parameter and its row in the reference are made from it.
 */
export interface ParameterSpec {
  readonly name: string;
  readonly kind: 'string' | 'boolean' | 'integer' | 'path' | 'mode' | 'list' | 'map' | 'enum';
  /** Of an enum: what it may be. */
  readonly values?: readonly string[];
  /** What a value of an enum means, where its name does not say it. */
  readonly valueNotes?: Readonly<Record<string, string>>;
  readonly required?: boolean;
  readonly default?: PolicyValue;
  readonly description: string;
  /** A named form that the text, or each item of a list, must have. */
  readonly format?: FormatName;
  /** Regular expression (ECMAScript, anchored) of the text, or of each item of a list. */
  readonly pattern?: string;
  /** What `pattern` asks for, after "must be". */
  readonly patternMeaning?: string;
  /** Of an integer, inclusive. */
  readonly minimum?: number;
  readonly maximum?: number;
  /** Good values, for the reference and the editor. */
  readonly examples?: readonly PolicyValue[];
  /** What to write instead; the parameter still works. */
  readonly deprecated?: string;
  /** Version of Vigo that brought it, when its type is older. */
  readonly since?: string;
  /** Where it has an effect, when not wherever the type has. */
  readonly platforms?: readonly PlatformName[];
}

import { AgentError } from '../../errors.ts';
import { jsonFileSchema } from '../../policy/resource-schemas/json-file.ts';
import type { PolicyValue } from '../../protocol/bundle.ts';
import { ParameterReader } from '../parameters.ts';
import { pathParts, removeAt, setAt } from './json-path.ts';
import { type JsonNode, JsonSyntaxError, parseJson, printJson, sameJson } from './json-text.ts';
import { readPath } from './places.ts';
import { type TextEditSpec, textEditType } from './text-edit.ts';

export interface JsonFileSpec extends TextEditSpec {
  readonly key: readonly string[];
  readonly value: JsonNode | undefined;
  readonly indent: number;
}

const indentLimit = 16;
const mark = '\uFEFF';

/** One value in a JSON file. The file is printed anew only when the value differs. */
export const jsonFileType = textEditType<JsonFileSpec>({
  name: 'json_file',
  parameters: jsonFileSchema.parameters,
  parse,
  edit: editJson,
  reason: (spec) =>
    spec.absent ? `${spec.key.join('.')} is there` : `${spec.key.join('.')} is not as declared`,
});

function parse(values: Readonly<Record<string, PolicyValue>>): JsonFileSpec {
  const reader = new ParameterReader(jsonFileSchema.parameters, values);
  const absent = reader.absent();
  const key = pathParts(reader.text('key') ?? '');
  const spec: JsonFileSpec = {
    path: readPath(reader),
    absent,
    create: true,
    key,
    value: readValue(reader, values.value),
    indent: reader.integer('indent', 0, indentLimit) ?? 2,
  };
  if (key.includes('')) reader.problem('key', 'must be names separated by single dots');
  if (!absent && spec.value === undefined)
    reader.problem('value', 'is required for state present, as a JSON literal');
  reader.finish();
  return spec;
}

/** Text is a JSON literal; a value of policy that is no text stands for itself. */
function readValue(reader: ParameterReader, value: PolicyValue | undefined): JsonNode | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  try {
    return parseJson(typeof value === 'string' ? value : JSON.stringify(value));
  } catch (thrown) {
    if (!(thrown instanceof JsonSyntaxError)) throw thrown;
    reader.problem('value', `is no JSON literal; text needs quotes of its own: '"text"'`);
    return undefined;
  }
}

export function editJson(text: string, spec: JsonFileSpec): string {
  const body = text.startsWith(mark) ? text.slice(1) : text;
  const tree = body.trim() === '' ? undefined : parsed(body, spec.path);
  if (tree === undefined && spec.absent) return text;
  const edited =
    spec.absent && tree !== undefined
      ? removeAt(tree, spec.key, spec.value)
      : setAt(tree, spec.key, spec.value!);
  if (tree !== undefined && sameJson(tree, edited)) return text;
  const printed = printJson(edited, spec.indent) + (body === '' || body.endsWith('\n') ? '\n' : '');
  const ended = /^[^\n]*\r\n/.test(body) ? printed.replaceAll('\n', '\r\n') : printed;
  return (text.startsWith(mark) ? mark : '') + ended;
}

function parsed(text: string, path: string): JsonNode {
  try {
    return parseJson(text);
  } catch (thrown) {
    if (!(thrown instanceof JsonSyntaxError)) throw thrown;
    throw new AgentError('AGENT_FILE_NOT_JSON', { detail: `${path}:${thrown.line}` });
  }
}

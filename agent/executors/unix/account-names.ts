import { controlCharacters, type ParameterReader } from '../parameters.ts';

/** What useradd accepts everywhere and no account file, argument list or path can misread. */
const namePattern = /^[A-Za-z_][A-Za-z0-9_.-]{0,30}[A-Za-z0-9_$-]?$/;
/** The largest id below the two that mean "none" (chown(2)). */
export const idLimit = 4_294_967_293;

export function checkName(reader: ParameterReader, parameter: string, name: string): void {
  if (!namePattern.test(name)) reader.problem(parameter, 'is no valid name');
}

/** A field of passwd(5): one line without ":". */
export function checkField(reader: ParameterReader, parameter: string, value?: string): void {
  if (value !== undefined && (value.includes(':') || controlCharacters.test(value)))
    reader.problem(parameter, 'must be one line without ":"');
}

/** An absolute path in a field of passwd(5), without ".." */
export function checkPath(reader: ParameterReader, parameter: string, value?: string): void {
  checkField(reader, parameter, value);
  if (value !== undefined && (!value.startsWith('/') || value.split('/').includes('..')))
    reader.problem(parameter, 'must be an absolute path without ".."');
}

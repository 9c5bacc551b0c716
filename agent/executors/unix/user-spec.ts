import { userSchema } from '../../policy/resource-schemas/user.ts';
import type { PolicyValue } from '../../protocol/bundle.ts';
import { controlCharacters, ParameterReader } from '../parameters.ts';
import { checkField, checkName, checkPath, idLimit } from './account-names.ts';

export interface UserSpec {
  readonly username: string;
  readonly present: boolean;
  readonly uid: number | undefined;
  readonly shell: string | undefined;
  readonly home: string | undefined;
  readonly comment: string | undefined;
  /** Primary group, by name or by number. */
  readonly group: string | undefined;
  /** Supplementary groups, exactly these, sorted; undefined leaves them. */
  readonly groups: readonly string[] | undefined;
  /** Plain text; never leaves memory but as a hash. */
  readonly password: string | undefined;
  /** Lines of ~/.ssh/authorized_keys, exactly these; undefined leaves the file. */
  readonly authorizedKeys: readonly string[] | undefined;
  readonly system: boolean;
  readonly manageHome: boolean;
  /** Days; -1 = never. */
  readonly passwordMaximumAge: number | undefined;
}

const groupLimit = 1_000;
const keyLimit = 500;
const keyLengthLimit = 16 * 1024;
const passwordLimit = 512;
const ageLimit = 99_999;

export function parseUser(values: Readonly<Record<string, PolicyValue>>): UserSpec {
  const reader = new ParameterReader(userSchema.parameters, values);
  const groups = reader.list('groups');
  const gid = reader.integer('gid', 0, idLimit);
  const group = reader.text('group');
  const spec: UserSpec = {
    username: reader.text('username') ?? '',
    present: reader.enumeration('state', ['present', 'absent']) !== 'absent',
    uid: reader.integer('uid', 0, idLimit),
    shell: reader.text('shell'),
    home: reader.text('home'),
    comment: reader.text('comment'),
    group: group ?? gid?.toString(),
    groups: groups === undefined ? undefined : [...new Set(groups)].sort(),
    password: reader.text('password'),
    authorizedKeys: reader.list('authorized_keys')?.map((key) => key.trim()),
    system: reader.boolean('system') ?? false,
    manageHome: reader.boolean('manage_home') ?? true,
    passwordMaximumAge: reader.integer('password_max_age', -1, ageLimit),
  };
  if (group !== undefined && gid !== undefined) reader.problem('gid', 'excludes group');
  check(spec, reader);
  reader.finish();
  return spec;
}

function check(spec: UserSpec, reader: ParameterReader): void {
  checkName(reader, 'username', spec.username);
  checkPath(reader, 'shell', spec.shell);
  checkPath(reader, 'home', spec.home);
  checkField(reader, 'comment', spec.comment);
  if (spec.group !== undefined && !/^\d+$/.test(spec.group)) checkName(reader, 'group', spec.group);
  for (const group of spec.groups ?? []) checkName(reader, 'groups', group);
  if ((spec.groups?.length ?? 0) > groupLimit)
    reader.problem('groups', `are more than ${groupLimit}`);
  if (!spec.present && spec.username === 'root')
    reader.problem('username', 'root cannot be removed');
  if (spec.password !== undefined && !isPassword(spec.password))
    reader.problem('password', `must be one line of at most ${passwordLimit} bytes`);
  const keys = spec.authorizedKeys ?? [];
  if (keys.length > keyLimit) reader.problem('authorized_keys', `are more than ${keyLimit}`);
  if (keys.some((key) => key === '' || key.length > keyLengthLimit || controlCharacters.test(key)))
    reader.problem('authorized_keys', 'must be one key per entry');
}

function isPassword(value: string): boolean {
  return !controlCharacters.test(value) && new TextEncoder().encode(value).length <= passwordLimit;
}

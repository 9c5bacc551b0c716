/** passwd(5), group(5) and shadow(5). Lines that do not have the fields of the format are left out. */
export interface UserRecord {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly comment: string;
  readonly home: string;
  readonly shell: string;
}

export interface GroupRecord {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

export interface ShadowRecord {
  readonly name: string;
  readonly hash: string;
  /** Days until the password must be changed; undefined when never set. */
  readonly maximumAge: number | undefined;
}

export function parsePasswd(text: string): ReadonlyMap<string, UserRecord> {
  return parse(text, 7, ([name, , uid, gid, comment, home, shell]) => ({
    name: name!,
    uid: Number(uid),
    gid: Number(gid),
    comment: comment!,
    home: home!,
    shell: shell!,
  }));
}

export function parseGroup(text: string): ReadonlyMap<string, GroupRecord> {
  return parse(text, 4, ([name, , gid, members]) => ({
    name: name!,
    gid: Number(gid),
    members: members!.split(',').filter((member) => member !== ''),
  }));
}

export function parseShadow(text: string): ReadonlyMap<string, ShadowRecord> {
  return parse(text, 9, ([name, hash, , , maximum]) => ({
    name: name!,
    hash: hash!,
    maximumAge: maximum === '' ? undefined : Number(maximum),
  }));
}

/** The first line of a name counts, as it does for the C library. */
function parse<Row>(
  text: string,
  count: number,
  toRow: (fields: readonly string[]) => Row,
): ReadonlyMap<string, Row> {
  const rows = new Map<string, Row>();
  for (const line of text.split('\n')) {
    const fields = line.split(':');
    const name = fields[0];
    if (fields.length !== count || !name || rows.has(name)) continue;
    rows.set(name, toRow(fields));
  }
  return rows;
}

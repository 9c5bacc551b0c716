/** Values of a query; nothing and the empty text are left out. */
export type PathQuery = Readonly<Record<string, string | number | undefined>>;

/** An address on this server: `pathTo('/envoys', { state: 'failed' })`; every value is escaped. */
export function pathTo(path: string, query: PathQuery = {}): string {
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined && value !== '');
  if (pairs.length === 0) return path;
  const search = new URLSearchParams(
    pairs.map(([name, value]): [string, string] => [name, String(value)]),
  );
  return `${path}?${search}`;
}

/** One part of a path: `pathTo(\`/envoys/${part(id)}\`)`. */
export function part(text: string): string {
  return encodeURIComponent(text.replaceAll(/\p{Cs}/gu, '\ufffd'));
}

/** Where to go after the login: a path on this server, or the start. */
export function localPath(wanted: string | undefined): string {
  if (wanted === undefined || !/^\/(?![/\\])[^\p{Cc}\\]*$/u.test(wanted)) return '/';
  return wanted;
}

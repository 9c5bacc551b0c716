/** What a value on the command line names, and where such values are listed. */
export const liveKinds = [
  'envoys',
  'tokens',
  'admin-tokens',
  'versions',
  'candidates',
  'runs',
  'plans',
  'secrets',
  'releases',
  'contexts',
  'users',
  'backups',
] as const;

export type LiveKind = (typeof liveKinds)[number];

export function isLiveKind(text: string): text is LiveKind {
  return (liveKinds as readonly string[]).includes(text);
}

/** By the name of the argument or of an option's value; some mean another thing below another group. */
const byName: readonly (readonly [group: string, name: RegExp, kind: LiveKind])[] = [
  ['tokens', /^id$/, 'tokens'],
  ['auth', /^id-or-name$/, 'admin-tokens'],
  ['config', /^(version|number|what)$/, 'versions'],
  ['config', /^content-hash$/, 'candidates'],
  ['config', /^host$/, 'envoys'],
  ['config', /^id$/, 'plans'],
  ['secrets', /^paths?$/, 'secrets'],
  ['releases', /^version$/, 'releases'],
  ['context', /^name$/, 'contexts'],
  ['users', /^(name|account|user)$/, 'users'],
  ['runs', /^run$/, 'runs'],
  ['backup', /^file-or-name$/, 'backups'],
  ['', /^(host-or-id|selector|envoys?|hosts?)$/, 'envoys'],
];

/** Options whose value is none of those, although its name says so. */
const others = /--(expect-version|on-failure|address|confirm|limit|release|sample|percent|bytes)\b/;
/** Names that somebody makes up. */
const fresh = /^(context add|users create)$/;

/** `path` is below the program: "tokens revoke". */
export function liveKindOf(path: string, name: string, option = ''): LiveKind | undefined {
  if (option === '--context') return 'contexts';
  if (others.test(option) || (fresh.test(path) && option === '')) return undefined;
  const group = path.split(' ')[0] ?? '';
  const bare = name.replaceAll(/[<>[\].]/g, '');
  return byName.find(([of, pattern]) => (of === '' || of === group) && pattern.test(bare))?.[2];
}

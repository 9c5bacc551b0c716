import type { Platform } from '../platform/platform.ts';
import type { TraitCollector } from './collector.ts';
import { listMachineDirectory, readMachineFile } from './machine-file.ts';
import { parseAssignments } from './os.ts';
import { isMap, sameValue, sortedTexts } from './values.ts';

const accountLimit = 10_000;
const sessionLimit = 1_000;
const sessionsDirectory = '/run/systemd/sessions';
const firstHumanUid = 1000;
const nobodyUid = 65_534;
const noShell = /\/(nologin|false|sync|shutdown|halt|true)$/;

/** Accounts that distributions make by themselves. */
const systemNames = new Set(
  (
    'root daemon bin sys sync games man lp mail news uucp proxy www-data backup list irc gnats ' +
    'nobody _apt messagebus sshd adm shutdown halt operator ftp dbus polkitd rpc rpcuser ntp ' +
    'chrony avahi tcpdump uuidd syslog tss colord saned rtkit usbmux dnsmasq landscape lxd pollinate ' +
    'kernoops whoopsie geoclue gdm Debian-exim postfix statd systemd tape nscd at wwwrun utmp cyrus'
  ).split(' '),
);

/** users.logged_in, human, os and thirdparty. */
export const usersCollector: TraitCollector = {
  name: 'users',
  collect: async ({ platform }) => {
    const accounts = parseAccounts((await readMachineFile(platform, '/etc/passwd')) ?? '');
    const kinds = { human: [] as string[], os: [] as string[], thirdparty: [] as string[] };
    for (const account of accounts) kinds[kindOf(account)].push(account.name);
    return {
      logged_in: sortedTexts([...(await sessions(platform)), ...(await terminals(platform))]),
      human: sortedTexts(kinds.human),
      os: sortedTexts(kinds.os),
      thirdparty: sortedTexts(kinds.thirdparty),
    };
  },
  isNews: (told, now) =>
    !isMap(told) ||
    !isMap(now) ||
    ['human', 'os', 'thirdparty'].some((kind) => !sameValue(told[kind], now[kind])),
};

interface Account {
  readonly name: string;
  readonly uid: number;
  readonly shell: string;
}

function kindOf({ name, uid, shell }: Account): 'human' | 'os' | 'thirdparty' {
  if (systemNames.has(name) || name.startsWith('systemd-')) return 'os';
  const real = shell !== '' && !noShell.test(shell);
  return uid >= firstHumanUid && uid !== nobodyUid && real ? 'human' : 'thirdparty';
}

function parseAccounts(text: string): readonly Account[] {
  return text
    .split('\n')
    .slice(0, accountLimit)
    .flatMap((line) => {
      const [name, , uid, , , , shell] = line.split(':');
      const isAccount = name !== undefined && shell !== undefined && /^\d+$/.test(uid ?? '');
      return isAccount ? [{ name, uid: Number(uid), shell: shell.trim() }] : [];
    });
}

/** Those that systemd-logind knows. */
async function sessions(platform: Platform): Promise<readonly string[]> {
  const names: string[] = [];
  const ids = await listMachineDirectory(platform, sessionsDirectory, sessionLimit);
  for (const id of ids.filter((one) => !one.endsWith('.ref'))) {
    const text = await readMachineFile(platform, `${sessionsDirectory}/${id}`);
    const session = parseAssignments(text ?? '');
    const name = session.get('USER');
    const isOpen = session.get('CLASS') === 'user' && session.get('STATE') !== 'closing';
    if (name !== undefined && isOpen) names.push(name);
  }
  return names;
}

async function terminals(platform: Platform): Promise<readonly string[]> {
  const { files, host } = platform;
  const status = await files.status('/run/utmp');
  if (status?.kind !== 'file') return [];
  const recordBytes = host.architecture === 'arm64' ? 400 : 384;
  return parseUtmp(await files.read('/run/utmp', sessionLimit * recordBytes), recordBytes);
}

/** Names in utmp(5) as glibc lays it out: type 7 is a user's process, the name stands at 44. */
export function parseUtmp(bytes: Uint8Array, recordBytes: number): readonly string[] {
  const names: string[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at + recordBytes <= bytes.length; at += recordBytes) {
    if (view.getInt16(at, true) !== 7) continue;
    const name = new TextDecoder().decode(bytes.subarray(at + 44, at + 76)).split('\0', 1)[0]!;
    if (name !== '') names.push(name);
  }
  return names;
}

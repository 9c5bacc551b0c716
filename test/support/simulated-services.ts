import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { arrange, type SimulatedTool } from './simulated-machine.ts';

/** A process as /proc shows it. */
export function runs(root: string, pid: number, words: readonly string[], parent = 1): void {
  const name = words[0]!.slice(words[0]!.lastIndexOf('/') + 1);
  arrange(root, {
    [`/proc/${pid}/stat`]: `${pid} (${name.slice(0, 15)}) S ${parent} ${pid}\n`,
    [`/proc/${pid}/cmdline`]: `${words.join('\0')}\0`,
  });
}

export function ends(root: string, pid: number): void {
  rmSync(`${root}/proc/${pid}`, { recursive: true, force: true });
}

export function program(root: string, path: string, text: string): void {
  arrange(root, { [path]: text });
  chmodSync(`${root}${path}`, 0o755);
}

export function link(root: string, path: string, target: string): void {
  mkdirSync(dirname(`${root}${path}`), { recursive: true });
  rmSync(`${root}${path}`, { force: true });
  symlinkSync(target, `${root}${path}`);
}

export function unlink(root: string, path: string): void {
  rmSync(`${root}${path}`, { force: true });
}

export const daemonPid = 400;
/** Before and after a restart by a supervisor. */
const daemonPids = [daemonPid, daemonPid + 1];

/** What start and stop of a simulated daemon leave behind: a process and its pid file. */
export function startDaemon(root: string): void {
  runs(root, daemonPid, ['/usr/sbin/webd', '-f']);
  arrange(root, { '/run/webd.pid': `${daemonPid}\n` });
}

export function stopDaemon(root: string): void {
  ends(root, daemonPid);
  unlink(root, '/run/webd.pid');
}

export function log(root: string, words: readonly string[]): void {
  mkdirSync(`${root}/run`, { recursive: true });
  writeFileSync(`${root}/run/log`, `${words.join(' ')}\n`, { flag: 'a' });
}

export function logOf(root: string): string {
  return existsSync(`${root}/run/log`) ? readFileSync(`${root}/run/log`, 'utf8') : '';
}

export function alive(root: string): boolean {
  return daemonPids.some((pid) => existsSync(`${root}/proc/${pid}`));
}

/** An init script of the LSB kind as a tool; without `status` when told so. */
export const lsbScript: SimulatedTool = ([verb], root) => {
  if (verb === 'status') {
    if (alive(root)) return { exitCode: 0 };
    return { exitCode: existsSync(`${root}/run/webd.pid`) ? 1 : 3 };
  }
  log(root, [verb!]);
  if (verb === 'start') startDaemon(root);
  else if (verb === 'stop') stopDaemon(root);
  else if (verb === 'restart' || verb === 'force-reload') startDaemon(root);
  else return { exitCode: 2, stderr: 'Usage: web {start|stop|restart}' };
  return undefined;
};

/** `service NAME VERB`. */
export const serviceTool: SimulatedTool = ([, ...words], root, stdin) =>
  lsbScript(words, root, stdin);

const levels = ['2', '3', '4', '5'];

/** Debian's update-rc.d: `enable` wants links, `defaults` makes them only when there are none. */
export const updateRcD: SimulatedTool = ([name, verb], root) => {
  log(root, ['update-rc.d', verb!]);
  const present = levels.flatMap((level) =>
    (existsSync(`${root}/etc/rc${level}.d`) ? readdirSync(`${root}/etc/rc${level}.d`) : [])
      .filter((entry) => entry.slice(3) === name)
      .map((entry) => `/etc/rc${level}.d/${entry}`),
  );
  if (verb === 'defaults' && present.length > 0) return undefined;
  if (verb !== 'defaults' && present.length === 0)
    return { exitCode: 1, stderr: 'update-rc.d: error: no runlevel symlinks to modify, aborting!' };
  for (const path of present) unlink(root, path);
  for (const level of levels)
    link(root, `/etc/rc${level}.d/${verb === 'disable' ? 'K' : 'S'}01${name}`, `../init.d/${name}`);
  return undefined;
};

/** chkconfig of Red Hat: `--add` and `on` make start links, `off` turns them. */
export const chkconfig: SimulatedTool = (words, root) => {
  const [name, off] = words[0] === '--add' ? [words[1]!, true] : [words[0]!, words[1] === 'off'];
  for (const level of levels) {
    for (const letter of ['S', 'K']) unlink(root, `/etc/rc${level}.d/${letter}85${name}`);
    link(root, `/etc/rc${level}.d/${off ? 'K' : 'S'}85${name}`, `../init.d/${name}`);
  }
  return undefined;
};

/** rc-service of OpenRC: it starts nothing that it takes for started. */
export const rcService: SimulatedTool = ([name, verb], root) => {
  const started = `/run/openrc/started/${name}`;
  log(root, [verb!]);
  const begin = () => {
    startDaemon(root);
    link(root, started, `/etc/init.d/${name}`);
  };
  if (verb === 'zap') unlink(root, started);
  else if (verb === 'start') existsSync(`${root}${started}`) || lexists(root, started) || begin();
  else if (verb === 'stop') {
    stopDaemon(root);
    unlink(root, started);
  } else if (verb === 'restart') begin();
  else if (verb === 'reload') return undefined;
  else return { exitCode: 1, stderr: ` * ${name}: unknown function \`${verb}'` };
  return undefined;
};

/** A link counts whatever it points to. */
function lexists(root: string, path: string): boolean {
  const parent = `${root}${dirname(path)}`;
  return existsSync(parent) && readdirSync(parent).includes(path.slice(path.lastIndexOf('/') + 1));
}

export const rcUpdate: SimulatedTool = (words, root) => {
  const [verb, name, ...runlevels] = words.filter((word) => !word.startsWith('-'));
  for (const level of runlevels)
    if (verb === 'add') link(root, `/etc/runlevels/${level}/${name}`, `/etc/init.d/${name}`);
    else unlink(root, `/etc/runlevels/${level}/${name}`);
  return undefined;
};

export const supervisorPid = 300;

/** What runsv writes to supervise/status. */
function superviseStatus(pid: number, want: 'u' | 'd', state: number): Uint8Array {
  const bytes = new Uint8Array(20);
  new DataView(bytes.buffer).setUint32(12, pid, true);
  bytes[17] = want.charCodeAt(0);
  bytes[19] = state;
  return bytes;
}

/** runsv of one service: `up` with a process, `crashing` between two, or down. */
export function supervise(
  root: string,
  name: string,
  state: 'up' | 'down' | 'crashing',
  pid = daemonPid,
): void {
  const directory = `${root}/etc/sv/${name}/supervise`;
  mkdirSync(directory, { recursive: true });
  runs(root, supervisorPid, ['runsv', name]);
  for (const old of daemonPids) ends(root, old);
  if (state === 'up') runs(root, pid, ['/usr/sbin/webd'], supervisorPid);
  const status = superviseStatus(
    state === 'up' ? pid : 0,
    state === 'down' ? 'd' : 'u',
    state === 'up' ? 1 : 0,
  );
  writeFileSync(`${directory}/ok`, '');
  writeFileSync(`${directory}/status`, status);
}

/** runsvdir: what is linked gets a runsv, which starts it unless it holds `down`. */
export function scanServices(root: string, name: string): void {
  if (!existsSync(`${root}/etc/service/${name}`) && !lexists(root, `/etc/service/${name}`)) return;
  if (existsSync(`${root}/proc/${supervisorPid}`)) return;
  supervise(root, name, existsSync(`${root}/etc/sv/${name}/down`) ? 'down' : 'up');
}

/** sv of runit. */
export const sv: SimulatedTool = (words, root) => {
  const [verb, path] = words.slice(2);
  const name = path!.slice(path!.lastIndexOf('/') + 1);
  log(root, [verb!]);
  if (!existsSync(`${root}/proc/${supervisorPid}`))
    return { exitCode: 1, stdout: `fail: ${path}: runsv not running` };
  const old = existsSync(`${root}/proc/${daemonPid}`);
  const pid = verb === 'restart' && old ? daemonPid + 1 : daemonPid;
  if (verb !== 'reload') supervise(root, name, verb === 'stop' ? 'down' : 'up', pid);
  return undefined;
};

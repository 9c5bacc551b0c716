import { AgentError } from '../../errors.ts';
import { readText } from '../../platform/text-file.ts';
import type { ImportContext, Importer } from '../contract.ts';

/** Mounts of the machine itself, which no policy should take charge of by accident. */
const ownPaths = new Set([
  '/',
  '/boot',
  '/boot/efi',
  '/usr',
  '/proc',
  '/sys',
  '/dev',
  'none',
  'swap',
]);

/** Lines of /etc/fstab (fstab(5)); what is mounted now decides between mounted and present. */
export const mountImporter: Importer = {
  kind: 'mount',
  scope: 'lines of /etc/fstab but the root, /boot, /usr and swap',
  async names(context) {
    const lines = await readFstab(context);
    return lines
      .map(({ path }) => path)
      .filter((path) => !ownPaths.has(path))
      .sort();
  },
  async read(name, context) {
    const line = (await readFstab(context)).find(({ path }) => path === name);
    if (line === undefined)
      throw new AgentError('AGENT_IMPORT_REFUSED', {
        what: `mount ${name}`,
        why: 'it is not in /etc/fstab',
      });
    const mounted = (await mountPoints(context)).has(name);
    const { path, device, fstype, options, dump, pass } = line;
    return [
      {
        type: 'mount',
        subject: path,
        parameters: {
          path,
          state: mounted ? 'mounted' : 'present',
          device,
          fstype,
          options,
          dump,
          pass,
        },
        ...(mounted ? {} : { note: 'it is not mounted now' }),
      },
    ];
  },
};

async function readFstab({ platform }: ImportContext) {
  const text = (await readText(platform, '/etc/fstab')) ?? '';
  return text.split('\n').flatMap((line) => {
    const fields = line.trim().split(/\s+/);
    if (fields.length < 3 || line.trim().startsWith('#')) return [];
    const [device, path, fstype, options, dump, pass] = fields.map(unescapeOctal);
    return [
      {
        device: device!,
        path: path!,
        fstype: fstype!,
        options: options ?? 'defaults',
        dump: Number(dump ?? 0),
        pass: Number(pass ?? 0),
      },
    ];
  });
}

async function mountPoints({ platform }: ImportContext): Promise<ReadonlySet<string>> {
  const text = (await readText(platform, '/proc/self/mounts').catch(() => undefined)) ?? '';
  return new Set(text.split('\n').map((line) => unescapeOctal(line.split(' ')[1] ?? '')));
}

/** Blanks in fstab and /proc/mounts stand as \040 (getmntent(3)). */
function unescapeOctal(field: string): string {
  return field.replace(/\\(\d{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}

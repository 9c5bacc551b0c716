import { readCertificate } from '../platform/certificate-file.ts';
import type { FileStatus, Platform } from '../platform/platform.ts';
import { PlatformError } from '../platform/platform-error.ts';
import type { TraitCollector } from './collector.ts';
import { listMachineDirectory, readMachineBytes } from './machine-file.ts';
import { sameValue, without } from './values.ts';

const directories = [
  '/etc/letsencrypt/live',
  '/etc/ssl',
  '/etc/pki/tls/certs',
  '/etc/nginx',
  '/etc/apache2',
  '/etc/httpd',
  '/etc/haproxy',
  '/etc/postfix',
];
/** Hundreds of authorities, which the distribution renews. */
const stores = new Set(['/etc/ssl/certs', '/etc/pki/tls/certs/ca-bundle.crt']);
const certificateName = /\.(pem|crt|cer)$/;
/** What certbot keeps beside a certificate. */
const companions = /^(chain|fullchain|privkey|dhparams?)\.pem$/;
const sizeLimit = 64 * 1024;
const certificateLimit = 500;
const depthLimit = 2;
const msPerDay = 86_400_000;

interface Certificate {
  readonly stamp: string;
  readonly facts: ReturnType<typeof readCertificate>;
}

/** cert_expiry.certificates, sorted by path. A file is parsed again only when it changed. */
export function createCertExpiryCollector(): TraitCollector {
  let known = new Map<string, Certificate>();
  return {
    name: 'cert_expiry',
    collect: async ({ platform }) => {
      const found = new Map<string, Certificate>();
      for (const directory of directories)
        await walk(platform, directory, depthLimit, known, found);
      known = found;
      const nowMs = platform.clock.nowMs();
      const certificates = [...found].flatMap(([path, { facts }]) => {
        if (facts === undefined) return [];
        const { subject, issuer, notAfterMs } = facts;
        const days = Math.floor((notAfterMs - nowMs) / msPerDay);
        const notAfter = new Date(notAfterMs).toISOString().replace('.000Z', 'Z');
        return [{ path, subject, issuer, not_after: notAfter, days_left: days }];
      });
      certificates.sort((a, b) => (a.path < b.path ? -1 : 1));
      return { certificates };
    },
    isNews: (told, now) => !sameValue(without(told, ['days_left']), without(now, ['days_left'])),
  };
}

async function walk(
  platform: Platform,
  directory: string,
  depth: number,
  before: ReadonlyMap<string, Certificate>,
  found: Map<string, Certificate>,
): Promise<void> {
  for (const name of await listMachineDirectory(platform, directory)) {
    const path = `${directory}/${name}`;
    if (found.size >= certificateLimit || stores.has(path)) continue;
    const status = await statusOf(platform, path);
    if (status?.kind === 'directory' && depth > 0)
      await walk(platform, path, depth - 1, before, found);
    if (status === undefined || status.kind === 'directory') continue;
    if (!certificateName.test(name) || companions.test(name)) continue;
    const certificate = await load(platform, path, before);
    if (certificate !== undefined) found.set(path, certificate);
  }
}

async function statusOf({ files }: Platform, path: string): Promise<FileStatus | undefined> {
  try {
    return await files.status(path);
  } catch (error) {
    if (error instanceof PlatformError) return undefined;
    throw error;
  }
}

/** One that may not be read, or that is too large for a certificate, is passed over. */
async function load(
  platform: Platform,
  path: string,
  before: ReadonlyMap<string, Certificate>,
): Promise<Certificate | undefined> {
  try {
    return await readMachineBytes(platform, path, sizeLimit, async (stamp, read) => {
      const known = before.get(path);
      return known?.stamp === stamp ? known : { stamp, facts: readCertificate(await read()) };
    });
  } catch (error) {
    if (error instanceof PlatformError) return undefined;
    throw error;
  }
}

import type { Platform } from '../platform.ts';
import { readText } from '../text-file.ts';
import { registryOf } from './image-name.ts';

/** Where `docker login` of root keeps what it knows. */
const loginFile = '/root/.docker/config.json';
const dockerHub = 'https://index.docker.io/v1/';

/** The header X-Registry-Auth for the registry of an image; undefined without a login. */
export async function registryLogin(
  reference: string,
  platform: Platform,
): Promise<string | undefined> {
  const text = await readText(platform, loginFile);
  if (text === undefined) return undefined;
  const host = registryOf(reference);
  const keys = host === 'docker.io' ? [dockerHub] : [host, `https://${host}`, `https://${host}/`];
  const entry = keys.map((key) => authOf(text, key)).find((auth) => auth !== undefined);
  if (entry === undefined) return undefined;
  const [username = '', ...password] = Buffer.from(entry, 'base64').toString('utf8').split(':');
  const login = { username, password: password.join(':'), serveraddress: keys[0] };
  return Buffer.from(JSON.stringify(login)).toString('base64url');
}

function authOf(text: string, key: string): string | undefined {
  try {
    const { auths } = JSON.parse(text) as { auths?: Record<string, { auth?: unknown }> };
    const auth = auths?.[key]?.auth;
    return typeof auth === 'string' && auth !== '' ? auth : undefined;
  } catch {
    return undefined;
  }
}

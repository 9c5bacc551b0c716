import type { InstallSource } from './source.ts';

/** What a person runs on a new machine. */
export interface InstallCommands {
  /** "host:port" of the agents' endpoint. */
  readonly server: string;
  readonly url: string;
  readonly pin: string;
  readonly curl: string;
  readonly wget: string;
  /** Platforms whose program this server can give; empty: none was put into its home yet. */
  readonly platforms: readonly string[];
}

/** Hosts as they may stand in a URL and, quoted, in a shell script. */
export const hostPattern = '^[A-Za-z0-9._-]{1,253}$|^[0-9A-Fa-f:.]{2,45}$';

/** `address`: a host that fits `hostPattern`. */
export async function installCommands(
  source: InstallSource,
  address: string,
  token: string,
): Promise<InstallCommands> {
  const host = hostInUrl(address);
  const url = `https://${host}:${source.apiPort}/bootstrap`;
  const { pin } = source;
  const rest = `${url} | sudo sh -s -- --token ${token}`;
  return {
    server: `${host}:${source.grpcPort}`,
    url,
    pin,
    // Without an authority that the new machine knows, the pinned key is what proves the server:
    // both programs refuse another key before anything is read, also with their other checks off.
    curl: `curl -fsSk --pinnedpubkey '${pin}' ${rest}`,
    wget: `wget -qO- --no-check-certificate --pinnedpubkey='${pin}' ${rest}`,
    platforms: (await source.releases()).map(({ platform }) => platform),
  };
}

/** IPv6 addresses stand in brackets before a port (RFC 3986). */
export function hostInUrl(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

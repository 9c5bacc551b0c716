/** A reference to an image, taken apart. */
export interface ImageName {
  /** With its registry, if it names one. */
  readonly repository: string;
  /** "latest" when neither tag nor digest is given. */
  readonly tag: string | undefined;
  /** "sha256:..." */
  readonly digest: string | undefined;
}

/** `reference` has the format image-reference. */
export function parseImageName(reference: string): ImageName {
  const [named = '', digest] = reference.split('@');
  const colon = named.lastIndexOf(':');
  const hasTag = colon > named.lastIndexOf('/');
  const repository = hasTag ? named.slice(0, colon) : named;
  const tag = hasTag ? named.slice(colon + 1) : digest === undefined ? 'latest' : undefined;
  return { repository, tag, digest };
}

/** The reference with its tag spelled out, as the engine is to be asked. */
export function fullImageName(reference: string): string {
  const { repository, tag, digest } = parseImageName(reference);
  // An engine cannot look up both at once; the digest says more.
  return digest === undefined ? `${repository}:${tag}` : `${repository}@${digest}`;
}

/** Host of the registry; "docker.io" when none is named. */
export function registryOf(reference: string): string {
  const [first = '', ...rest] = reference.split('/');
  const isHost = rest.length > 0 && (/[.:]/.test(first) || first === 'localhost');
  return isHost ? first : 'docker.io';
}

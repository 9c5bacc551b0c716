import type { Platform } from '../../platform/platform.ts';
import { readText } from '../../platform/text-file.ts';

/** A working copy as its files tell; commits are in hexadecimal. */
export interface Clone {
  /** Undefined when nothing is checked out yet. */
  readonly commit: string | undefined;
  /** Undefined for a detached head. */
  readonly branch: string | undefined;
  readonly url: string | undefined;
}

const commitPattern = /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/;

/** Reads HEAD, its branch and the remote "origin", without git. `path`: declared. */
export async function readClone(platform: Platform, path: string): Promise<Clone> {
  const file = async (name: string) => readText(platform, `${path}/.git/${name}`);
  const head = ((await file('HEAD')) ?? '').trim();
  const reference = /^ref: (refs\/\S+)$/.exec(head)?.[1];
  const loose = reference === undefined ? head : ((await file(reference)) ?? '').trim();
  const packed =
    reference === undefined || commitPattern.test(loose)
      ? undefined
      : packedCommit((await file('packed-refs')) ?? '', reference);
  const commit = commitPattern.test(loose) ? loose : packed;
  return {
    commit,
    branch: /^refs\/heads\/(.+)$/.exec(reference ?? '')?.[1],
    url: originUrl((await file('config')) ?? ''),
  };
}

function packedCommit(text: string, reference: string): string | undefined {
  const line = text.split('\n').find((one) => one.endsWith(` ${reference}`));
  return line?.split(' ')[0];
}

function originUrl(config: string): string | undefined {
  let within = false;
  for (const line of config.split('\n')) {
    if (/^\s*\[/.test(line)) within = /^\s*\[remote "origin"\]/.test(line);
    const url = within ? /^\s*url\s*=\s*(.*?)\s*$/.exec(line)?.[1] : undefined;
    if (url !== undefined) return url;
  }
  return undefined;
}

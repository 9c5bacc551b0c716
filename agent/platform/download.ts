import { AgentError } from '../errors.ts';

export interface DownloadOptions {
  /** Bytes; a longer answer is refused. */
  readonly limit: number;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/** Gets the bytes at an http or https URL. Failures are AGENT_DOWNLOAD_FAILED, which is blocked. */
export type Download = (url: string, options: DownloadOptions) => Promise<Uint8Array>;

export const download: Download = async (url, { limit, timeoutMs, signal }) => {
  const limits = [AbortSignal.timeout(timeoutMs), ...(signal === undefined ? [] : [signal])];
  try {
    const response = await fetch(url, { signal: AbortSignal.any(limits), redirect: 'follow' });
    if (!response.ok || response.body === null)
      throw new AgentError('AGENT_DOWNLOAD_FAILED', {
        detail: `${place(url)}: ${response.status}`,
      });
    const chunks: Uint8Array[] = [];
    let length = 0;
    for await (const chunk of response.body) {
      length += chunk.length;
      if (length > limit)
        throw new AgentError('AGENT_DOWNLOAD_FAILED', {
          detail: `${place(url)}: more than ${limit} bytes`,
        });
      chunks.push(chunk);
    }
    return joined(chunks, length);
  } catch (thrown) {
    if (thrown instanceof AgentError) throw thrown;
    const cause = thrown instanceof Error ? causeName(thrown) : String(thrown);
    throw new AgentError(
      'AGENT_DOWNLOAD_FAILED',
      { detail: `${place(url)}: ${cause}` },
      { cause: thrown },
    );
  }
};

/** What fetch hides one level below. */
function causeName(error: Error): string {
  const { cause } = error;
  return cause instanceof Error && 'code' in cause ? String(cause.code) : error.name;
}

/** Without password and query, which may be secret. */
function place(url: string): string {
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname}`;
}

function joined(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

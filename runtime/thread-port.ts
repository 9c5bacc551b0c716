import type { MessagePort } from 'node:worker_threads';
import type { Link } from './ports/network.ts';
import type { ThreadRole, Topology } from './topology.ts';

/** What the main thread hands to a thread that it starts. */
export interface ThreadBootstrap {
  readonly thread: string;
  readonly role: ThreadRole;
  readonly topology: Topology;
  /** Orders from the main thread, and the answers to them. */
  readonly control: MessagePort;
  readonly links: readonly { readonly peer: string; readonly port: MessagePort }[];
  /** `workerData` of startRuntime, and of the thread's own entry. */
  readonly data: unknown;
}

export type ThreadOrder =
  | { readonly order: 'attach'; readonly peer: string; readonly port: MessagePort }
  | { readonly order: 'detach'; readonly peer: string }
  | { readonly order: 'stop' };

export type ThreadAnswer =
  | { readonly answer: 'ready' }
  | { readonly answer: 'failed'; readonly reason: string; readonly stack: string | undefined }
  | { readonly answer: 'stopped' };

/** A link over a MessagePort. The batch moves; only its bytes are copied out of the packer's buffer. */
export function portLink(port: MessagePort): Link {
  return {
    send(batch) {
      const bytes = new Uint8Array(batch);
      port.postMessage(bytes, [bytes.buffer]);
    },
    onReceive(receive) {
      port.on('message', receive);
    },
    close() {
      port.close();
    },
  };
}

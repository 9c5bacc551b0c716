/** Where the answer to a message goes. */
export interface ReplyTo {
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/** One message on its way to one actor. */
export interface Envelope {
  readonly kind: string;
  readonly key: string;
  readonly type: string;
  readonly payload: unknown;
  /** A turn may set it: what follows is then part of the turn's own span. */
  traceparent: string | undefined;
  /** Mail is acknowledged only when what it did survives power loss. */
  readonly mail: boolean;
  readonly reply: ReplyTo | undefined;
}

/** Something that a person should know of. Counted events carry how many they stand for. */
export interface RuntimeEvent {
  readonly type:
    | 'actor.restarted'
    | 'actor.parked'
    | 'actor.commit-failed'
    | 'mailbox.refused'
    | 'tell.dropped'
    | 'mail.dead'
    | 'claim.lost'
    | 'thread.started'
    | 'thread.crashed'
    | 'thread.replaced'
    | 'thread.parked';
  readonly atMs: number;
  readonly thread: string;
  readonly kind?: string;
  readonly key?: string;
  readonly code?: string;
  readonly reason?: string;
  readonly stack?: string;
  readonly count?: number;
}

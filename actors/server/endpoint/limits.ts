/** What one shard's endpoint admits. Sizes in bytes, times in milliseconds. */

/** A peer that has not finished its TLS handshake by then is cut off. */
export const handshakeTimeoutMs = 10_000;
/** Requests that one connection may have open at a time; an agent needs two. */
export const streamsPerConnectionLimit = 8;
/** Bytes that requests of all connections may hold while their rest is on its way. */
export const unfinishedBodiesLimit = 256 * 1024 * 1024;
/** An idle peer is probed after this time by TCP, and dropped when it is gone. */
export const tcpKeepaliveMs = 60_000;
/** TLS session tickets are good for this long; seconds. */
export const sessionTicketLifetimeS = 3600;
/** Answers of an actor that take longer are given up. */
export const answerDeadlineMs = 20_000;
/** Told to a peer that is refused for load. */
export const overloadRetryMs = 5_000;
/** Distinct kinds of refusals that are kept apart between two audit flushes. */
export const refusalKindLimit = 256;
/** Refusals of one kind become at most one audit event in this time. */
export const refusalFlushMs = 10_000;

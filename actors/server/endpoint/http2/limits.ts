/** What one HTTP/2 connection may ask of us. Sizes in bytes. */

/** A header block as it travels, all its frames together. */
export const headerBlockLimit = 16_384;
/** Frames after the first that one header block may be spread over. */
export const continuationLimit = 16;
/** Body bytes that a stream may have on the way before we have read them. */
export const streamWindow = 256 * 1024;
/** The same for all streams of a connection. */
export const connectionWindow = 512 * 1024;
/** Answers that wait in the socket's queue; the rest waits in its stream. */
export const socketQueueLimit = 128 * 1024;
/** Small frames that wait for a peer that does not read; more end the connection. */
export const controlQueueLimit = 256 * 1024;
/** Frames between two sweeps that move no request forward: pings, settings, resets, empty data. */
export const nuisanceLimit = 5_000;
/** Window updates and pings that a peer may send for each frame of an answer. */
export const repliesPerFrame = 16;
/** What one reset of a request counts for: it has made us work for nothing (CVE-2023-44487). */
export const resetNuisance = 20;
/** What a stream that is refused at once counts for. */
export const refusalNuisance = 10;
/** Body bytes that prove that a peer is still at it. */
export const progressBytes = 16_384;
/** Between two looks for peers that have stopped halfway. */
export const sweepMs = 5_000;
/** Sweeps after which a peer that has not finished what it began, or does not read, is cut off. */
export const patienceSweeps = 12;
/** Distinct heads of requests that are remembered, of all connections; a fleet needs six. */
export const headCacheLimit = 64;
/** Longer header blocks are not remembered. */
export const headCacheBlockLimit = 512;

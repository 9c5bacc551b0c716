/** Limits of the wire contract; both sides enforce them. Sizes in bytes, times in milliseconds. */

/** Version of the contract that these files describe. */
export const protocolVersion = 1;

/** A request's timestamp may differ from the verifier's clock by this much, either way. */
export const clockSkewLimitMs = 300_000;

/** Encoded body of a CheckInRequest; about 100 bytes in practice. */
export const checkInBodyLimit = 4 * 1024;
/** Canonical JSON of all traits of one node. */
export const traitsLimit = 1024 * 1024;
/** Encoded body of one ReportRequest. */
export const reportBodyLimit = 1024 * 1024;
/** Body of a ResolveSecretsRequest. */
export const resolveSecretsBodyLimit = 256 * 1024;
/** Body of one WorkUpdate. */
export const workUpdateBodyLimit = 256 * 1024;
/** RegisterRequest as a whole: anyone may send one. */
export const registerRequestLimit = 16 * 1024;
/** What an envelope adds to its body, with room for fields of later versions. */
export const envelopeOverheadLimit = 4 * 1024;

/** Canonical JSON of one bundle document. */
export const bundleDocumentLimit = 16 * 1024 * 1024;
export const checkInResponseLimit = bundleDocumentLimit + 64 * 1024;
export const smallResponseLimit = 64 * 1024;
export const resolveSecretsResponseLimit = 1024 * 1024;
export const workItemLimit = 1024 * 1024;
/** The decoded "vigo-error-bin" trailer. */
export const errorDetailLimit = 8 * 1024;

/** One resource's diff in a report. */
export const diffLimit = 16 * 1024;
/** Nesting of canonical JSON values. */
export const jsonDepthLimit = 64;
/** Resource results and incidents of one report. */
export const reportResultLimit = 10_000;
export const reportIncidentLimit = 100;

/** Of one part of a release's artefact. */
export const releasePartLimit = 512 * 1024;
export const fetchReleaseBodyLimit = 1024;
export const fetchReleaseResponseLimit = releasePartLimit + 4 * 1024;

/** What a release and its trial may be at the most. */
export const releaseLimits = {
  /** Of a program, and of what is fetched. */
  programBytes: 512 * 1024 * 1024,
  /** Keys, and versions that a release may step back from. */
  listEntries: 16,
  trialSeconds: 24 * 3600,
  trialCheckIns: 100,
} as const;

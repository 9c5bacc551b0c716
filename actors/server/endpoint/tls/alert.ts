/** Descriptions of alerts that we send or heed (RFC 8446, section 6). */
export const alertCode = {
  closeNotify: 0,
  unexpectedMessage: 10,
  badRecordMac: 20,
  recordOverflow: 22,
  decodeError: 50,
} as const;

/** The peer broke the record protocol, and is told so before the connection ends. */
export class TlsAlert extends Error {
  /** The alert's description. */
  readonly code: number;

  constructor(code: number, reason: string) {
    super(reason);
    this.code = code;
  }
}

/** The content of an alert record; every alert but the goodbye is fatal. */
export function alertContent(code: number): Buffer {
  const warning = 1;
  const fatal = 2;
  return Buffer.from([code === alertCode.closeNotify ? warning : fatal, code]);
}

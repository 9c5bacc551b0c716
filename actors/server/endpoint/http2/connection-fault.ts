/** Breaks the protocol for the whole connection; `code` of RFC 9113, section 7. */
export class ConnectionFault extends Error {
  readonly code: number;
  constructor(code: number, reason: string) {
    super(reason);
    this.code = code;
  }
}

/** A refusal by a program on this machine, as that program worded it. */
export class LocalRefusal extends Error {
  override readonly name = 'LocalRefusal';
  readonly code: string;
  readonly remedy: string;
  readonly exitCode: number;

  constructor(refusal: { code: string; message: string; remedy: string; exitCode: number }) {
    super(refusal.message);
    this.code = refusal.code;
    this.remedy = refusal.remedy;
    this.exitCode = refusal.exitCode;
  }
}

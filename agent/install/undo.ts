/** What takes back, newest first, the steps that were done; a failing one does not stop the others. */
export class Undo {
  readonly #steps: (() => Promise<void>)[] = [];

  push(step: () => Promise<void>): void {
    this.#steps.push(step);
  }

  /** Resolves to what could not be taken back. */
  async run(): Promise<readonly string[]> {
    const failures: string[] = [];
    for (const step of this.#steps.splice(0).reverse())
      await step().catch((error: unknown) => failures.push(String(error)));
    return failures;
  }
}

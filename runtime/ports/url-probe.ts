/** Asks web servers whether they still have something. */
export interface UrlProbe {
  /** Of an http or https URL; ends within the probe's own time limit and never rejects. */
  ask(url: string): Promise<UrlAnswer>;
}

export type UrlAnswer =
  | { readonly alive: true }
  /** `reason`: for a person, such as "404 Not Found". */
  | { readonly alive: false; readonly reason: string };

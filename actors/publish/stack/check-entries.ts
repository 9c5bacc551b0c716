import type { Diagnostics } from './diagnostics.ts';
import type { StackModel } from './model.ts';

/** Warns of patterns that an earlier entry takes all hosts from: first match wins. */
export function checkEntries(model: StackModel, diagnostics: Diagnostics): void {
  const seen = new Map<string, string>();
  let all: string | undefined;
  for (const { match } of model.entries) {
    for (const { name, node } of match) {
      const pattern = name.toLowerCase();
      const earlier = all ?? seen.get(pattern);
      if (earlier !== undefined) {
        diagnostics.report(node, {
          code: 'PUBLISH_UNREACHABLE_ENTRY',
          severity: 'warning',
          message: `an earlier entry in ${earlier} matches every host of "${name}"`,
        });
      }
      if (!seen.has(pattern)) seen.set(pattern, node.file);
    }
    const wildcard = match.find(({ name }) => name === '*' || name === '**');
    all ??= wildcard?.node.file;
  }
}

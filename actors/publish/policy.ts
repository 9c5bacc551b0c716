import type { GuardLayout } from '../../agent/policy/guardrails.ts';
import { type BundleDocument, bundleFormatVersion } from '../../agent/protocol/bundle.ts';
import { bundleRoot, encodeBundle } from '../../agent/protocol/bundle-document.ts';
import { toHex } from '../../agent/protocol/bytes.ts';
import type { Sha256 } from '../../agent/protocol/crypto.ts';
import type { Ports } from '../../runtime/ports/ports.ts';
import type { StoreReader } from '../../runtime/store.ts';
import { envoyLimit, type PolicyTables } from '../policy/tables.ts';
import type { ValidationResult } from './messages.ts';
import { Diagnostics } from './stack/diagnostics.ts';
import { type CompiledStack, compileStack } from './stack/stack.ts';
import { readStackFiles, type StackFiles } from './stack/stack-files.ts';

/** Envoys looked at before others get their turn. */
const envoyPage = 2000;

/** A stack made ready to hand out. */
export interface Policy {
  readonly result: ValidationResult;
  readonly files: StackFiles;
  /** Hex root -> canonical JSON; equal resolutions share one. */
  readonly bundles: ReadonlyMap<string, Uint8Array>;
  rootFor(hostname: string): Uint8Array;
}

const emptyDocument: BundleDocument = { format: bundleFormatVersion, modules: [], templates: {} };

/** Lets the other actors of the thread go on. */
export function pause(ports: Ports): Promise<void> {
  return new Promise((resume) => {
    ports.clock.after(0, resume);
  });
}

/** Reads and compiles a stack. With errors in its result it has no bundles but the empty one. */
export async function readPolicy(
  directory: string,
  ports: Ports,
  crypto: Sha256,
  layout: GuardLayout,
): Promise<Policy> {
  const diagnostics = new Diagnostics();
  const files = await readStackFiles(ports.disk, directory, diagnostics);
  const options = { layout, pause: () => pause(ports) };
  const stack = await compileStack(files, diagnostics, options);
  return bundlePolicy(stack, files, crypto);
}

export function hasErrors(result: ValidationResult): boolean {
  return result.diagnostics.some(({ severity }) => severity === 'error');
}

function bundlePolicy(stack: CompiledStack, files: StackFiles, crypto: Sha256): Policy {
  const bundles = new Map<string, Uint8Array>();
  const add = (document: BundleDocument): Uint8Array => {
    const root = bundleRoot(document, crypto);
    const hex = toHex(root);
    if (!bundles.has(hex)) bundles.set(hex, encodeBundle(document));
    return root;
  };
  const empty = add(emptyDocument);
  const roots = hasErrors(stack.result) ? [] : stack.documents.map(add);
  return {
    result: stack.result,
    files,
    bundles,
    rootFor: (hostname) => roots[stack.match(hostname) ?? -1] ?? empty,
  };
}

export interface AssignmentChanges {
  readonly changed: readonly { readonly envoyId: string; readonly root: Uint8Array }[];
  readonly total: number;
}

/** Which envoys get another root than they have. Revoked ones get nothing. */
export async function changedAssignments(
  policy: Policy,
  store: StoreReader,
  tables: PolicyTables,
  ports: Ports,
): Promise<AssignmentChanges> {
  const changed: { envoyId: string; root: Uint8Array }[] = [];
  let total = 0;
  let from = '';
  while (total <= envoyLimit) {
    const page = [...store.range(tables.identities, { from, limit: envoyPage })];
    for (const [envoyId, { hostname, revoked }] of page) {
      if (revoked) continue;
      total += 1;
      const root = policy.rootFor(hostname);
      const known = store.get(tables.assignments, envoyId);
      if (known === undefined || toHex(known) !== toHex(root)) changed.push({ envoyId, root });
    }
    if (page.length < envoyPage) break;
    // The least key behind the last one.
    from = `${page[page.length - 1]![0]}\0`;
    await pause(ports);
  }
  return { changed, total };
}

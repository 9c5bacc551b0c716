import type { GuardLayout } from '../../agent/policy/guardrails.ts';
import { type BundleDocument, bundleFormatVersion } from '../../agent/protocol/bundle.ts';
import { bundleRoot, encodeBundle } from '../../agent/protocol/bundle-document.ts';
import { toHex } from '../../agent/protocol/bytes.ts';
import { canonicalJsonBytes } from '../../agent/protocol/canonical-json.ts';
import { type Sha256, sha256 } from '../../agent/protocol/crypto.ts';
import type { Ports } from '../../runtime/ports/ports.ts';
import type { GenerationRow } from '../policy/tables.ts';
import type { SecretCheck } from '../secrets/check-stack.ts';
import type { ValidationResult } from './messages.ts';
import type { UrlCheck } from './stack/check-urls.ts';
import { Diagnostics } from './stack/diagnostics.ts';
import { CompileCache, type CompiledStack, compileStack } from './stack/stack.ts';
import { readStackFiles, type StackFiles } from './stack/stack-files.ts';
import { hashStack } from './stack-copies.ts';

/** Documents that are encoded and hashed before others get their turn. */
const documentsPerPause = 20;
/** Hexadecimal characters of a group's key. */
const groupKeyLength = 16;

/** A stack made ready to hand out. */
export interface Policy {
  readonly result: ValidationResult;
  readonly files: StackFiles;
  readonly stackHash: string;
  /** Of each group, in the order of `generation.groups`; for comparisons. */
  readonly documents: readonly BundleDocument[];
  /** Hex root -> canonical JSON; equal resolutions share one. */
  readonly bundles: ReadonlyMap<string, Uint8Array>;
  readonly generation: GenerationRow;
}

export interface PolicyTools {
  readonly ports: Ports;
  readonly crypto: Sha256;
  readonly layout: GuardLayout;
  /** For stacks that are to be published; what is live stays live when a secret is gone. */
  readonly checkSecrets?: SecretCheck;
  /** Absent: URLs are not asked whether they answer. */
  readonly urls?: UrlCheck;
  /** What the last compilation left: only what changed is done again. */
  readonly cache?: PolicyCache;
}

/** For one who compiles again and again, one compilation at a time. */
export interface PolicyCache {
  readonly compile: CompileCache;
  /** A document that did not change is the same object. */
  readonly encoded: WeakMap<BundleDocument, EncodedBundle>;
}

interface EncodedBundle {
  readonly root: Uint8Array;
  readonly hex: string;
  readonly bytes: Uint8Array;
}

export function createPolicyCache(): PolicyCache {
  return { compile: new CompileCache(), encoded: new WeakMap() };
}

const emptyDocument: BundleDocument = { format: bundleFormatVersion, modules: [], templates: {} };

/** Lets the other actors of the thread go on. */
export function pause(ports: Ports): Promise<void> {
  return new Promise((resume) => {
    ports.clock.after(0, resume);
  });
}

/** Reads a stack directory once and compiles what was read. With errors it has no groups. */
export async function readPolicy(directory: string, tools: PolicyTools): Promise<Policy> {
  const diagnostics = new Diagnostics();
  const files = await readStackFiles(tools.ports.disk, directory, diagnostics);
  return await compile(files, diagnostics, tools);
}

/** As `readPolicy`, of files that were read before. */
export async function compilePolicy(files: StackFiles, tools: PolicyTools): Promise<Policy> {
  const diagnostics = new Diagnostics();
  for (const [path, text] of files) diagnostics.addFile(path, text);
  return await compile(files, diagnostics, tools);
}

/** Of the bundle that manages nothing. */
export function emptyRoot({ crypto }: PolicyTools): Uint8Array {
  return bundleRoot(emptyDocument, crypto);
}

export function hasErrors(result: ValidationResult): boolean {
  return result.diagnostics.some(({ severity }) => severity === 'error');
}

async function compile(
  files: StackFiles,
  diagnostics: Diagnostics,
  tools: PolicyTools,
): Promise<Policy> {
  const { checkSecrets } = tools;
  const options = {
    layout: tools.layout,
    pause: () => pause(tools.ports),
    ...(tools.cache === undefined ? {} : { cache: tools.cache.compile }),
    ...(tools.urls === undefined ? {} : { urls: tools.urls }),
    ...(checkSecrets === undefined
      ? {}
      : { checks: [(_: unknown, found: Diagnostics) => checkSecrets(files, found)] }),
  };
  const stack = await compileStack(files, diagnostics, options);
  return await bundlePolicy(stack, files, tools);
}

async function bundlePolicy(
  stack: CompiledStack,
  files: StackFiles,
  { ports, crypto, cache }: PolicyTools,
): Promise<Policy> {
  const bundles = new Map<string, Uint8Array>();
  const known = cache?.encoded ?? new WeakMap<BundleDocument, EncodedBundle>();
  let fresh = 0;
  const add = (document: BundleDocument): Uint8Array => {
    let encoded = known.get(document);
    if (encoded === undefined) {
      const root = bundleRoot(document, crypto);
      encoded = { root, hex: toHex(root), bytes: encodeBundle(document) };
      known.set(document, encoded);
      fresh += 1;
    }
    bundles.set(encoded.hex, encoded.bytes);
    return encoded.root;
  };
  const rootOfNothing = add(emptyDocument);
  const documents = hasErrors(stack.result) ? [] : stack.documents;
  const keys = groupKeys(stack.patterns, crypto);
  const groups: GenerationRow['groups'][number][] = [];
  for (const [index, document] of documents.entries()) {
    groups.push({ key: keys[index]!, match: stack.patterns[index]!, root: add(document) });
    if (fresh < documentsPerPause) continue;
    await pause(ports);
    fresh = 0;
  }
  const stackHash = hashStack(files, crypto);
  const generation = { stackHash, groups, emptyRoot: rootOfNothing };
  return { result: stack.result, files, stackHash, documents, bundles, generation };
}

/** Names of groups that outlive a change of their policy, and of the entries around them. */
function groupKeys(patterns: readonly (readonly string[])[], crypto: Sha256): string[] {
  const used = new Map<string, number>();
  return patterns.map((match) => {
    const hash = toHex(sha256(crypto, canonicalJsonBytes([...match]))).slice(0, groupKeyLength);
    const times = used.get(hash) ?? 0;
    used.set(hash, times + 1);
    return times === 0 ? hash : `${hash}.${times}`;
  });
}

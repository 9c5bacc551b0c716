import { AgentError } from '../errors.ts';
import { type BundleDocument, bundleFormatVersion } from './bundle.ts';
import { equalBytes } from './bytes.ts';
import { canonicalJsonBytes } from './canonical-json.ts';
import type { Sha256 } from './crypto.ts';
import { bundleDocumentLimit } from './limits.ts';
import { merkleRoot } from './merkle.ts';

/** Canonical JSON of a document; what travels, is stored, and is shared between envoys. */
export function encodeBundle(document: BundleDocument): Uint8Array {
  const bytes = canonicalJsonBytes(document);
  if (bytes.length > bundleDocumentLimit)
    throw new AgentError(
      'PROTOCOL_TOO_LARGE',
      `a bundle of ${bytes.length} bytes, allowed are ${bundleDocumentLimit}`,
    );
  return bytes;
}

/**
 * The root that names a document: Merkle tree (RFC 6962) over the canonical JSON of, in order, the
 * format version, each module, and the templates. 32 bytes.
 */
export function bundleRoot(document: BundleDocument, crypto: Sha256): Uint8Array {
  const leaves = [
    canonicalJsonBytes({ format: document.format }),
    ...document.modules.map((module) => canonicalJsonBytes(module)),
    canonicalJsonBytes({ templates: document.templates }),
  ];
  return merkleRoot(leaves, crypto);
}

/**
 * Parses a document and checks that its bytes are the canonical ones, so that nothing in them can
 * escape the root. Throws PROTOCOL_BUNDLE_MALFORMED or PROTOCOL_TOO_LARGE.
 */
export function decodeBundle(bytes: Uint8Array): BundleDocument {
  if (bytes.length > bundleDocumentLimit)
    throw new AgentError('PROTOCOL_TOO_LARGE', `a bundle of ${bytes.length} bytes`);
  const document = parse(bytes);
  const fault = faultOf(document);
  if (fault !== undefined) throw new AgentError('PROTOCOL_BUNDLE_MALFORMED', fault);
  return document as BundleDocument;
}

function parse(bytes: Uint8Array): unknown {
  let parsed: unknown;
  let again: Uint8Array;
  try {
    parsed = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
    again = canonicalJsonBytes(parsed);
  } catch (cause) {
    throw new AgentError('PROTOCOL_BUNDLE_MALFORMED', 'not JSON', { cause });
  }
  if (!equalBytes(again, bytes))
    throw new AgentError('PROTOCOL_BUNDLE_MALFORMED', 'not canonical JSON');
  return parsed;
}

type Json = Record<string, unknown>;

function faultOf(value: unknown): string | undefined {
  if (!isObject(value)) return 'not an object';
  if (value.format !== bundleFormatVersion)
    return `format ${String(value.format)}, known is ${bundleFormatVersion}`;
  if (!Array.isArray(value.modules)) return 'modules is no list';
  if (!isObject(value.templates)) return 'templates is no map';
  if (!Object.values(value.templates).every((text) => typeof text === 'string'))
    return 'a template is no text';
  for (const module of value.modules) {
    const fault = moduleFault(module);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function moduleFault(module: unknown): string | undefined {
  if (!isObject(module) || typeof module.name !== 'string') return 'a module has no name';
  const where = `module ${module.name}`;
  if (!isCondition(module.when)) return `${where}: when is no text`;
  if (!isObject(module.vars)) return `${where}: vars is no map`;
  if (!isConditionalVars(module.conditionalVars)) return `${where}: conditionalVars is wrong`;
  if (!isNames(module.dependsOn)) return `${where}: dependsOn is no list of names`;
  if (!Array.isArray(module.resources)) return `${where}: resources is no list`;
  const bad = module.resources.find((resource) => !isResource(resource));
  return bad === undefined ? undefined : `${where}: a resource is incomplete`;
}

function isResource(value: unknown): boolean {
  return (
    isObject(value) &&
    typeof value.name === 'string' &&
    typeof value.type === 'string' &&
    isCondition(value.when) &&
    isNames(value.dependsOn) &&
    isNames(value.before) &&
    isNames(value.notify) &&
    isNames(value.subscribes) &&
    isObject(value.parameters)
  );
}

function isCondition(value: unknown): boolean {
  return value === undefined || typeof value === 'string';
}

function isConditionalVars(value: unknown): boolean {
  if (value === undefined) return true;
  if (!Array.isArray(value)) return false;
  return value.every(
    (item) => isObject(item) && typeof item.when === 'string' && isObject(item.vars),
  );
}

function isNames(value: unknown): boolean {
  return Array.isArray(value) && value.every((name) => typeof name === 'string');
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

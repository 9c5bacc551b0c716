import { auditErrors } from './error-codes/audit-errors.ts';
import { containerErrors } from './error-codes/container-errors.ts';
import type { AgentErrorEntry } from './error-codes/entry.ts';
import { installErrors } from './error-codes/install-errors.ts';
import { languageErrors } from './error-codes/language-errors.ts';
import { resourceErrors } from './error-codes/resource-errors.ts';
import { selinuxErrors } from './error-codes/selinux-errors.ts';
import { updateErrors } from './error-codes/update-errors.ts';

/**
 * Every refusal and failure that the agent and the wire contract can name. Codes are stable: they
 * are logged, reported, documented (docs/errors.md) and matched by programs.
 */
const registry = {
  POLICY_WHEN_SYNTAX: {
    message: 'in the condition, at {offset}: {reason}',
    remedy: 'See the list of conditions in the policy reference.',
  },
  POLICY_WHEN_VARIABLE: {
    message: 'in the condition, at {offset}: {name} is not defined',
    remedy: 'Define the variable in the module or for the envoys that use it.',
  },
  POLICY_WHEN_LIMIT: {
    message: 'the condition is too large: {reason}',
    remedy: 'Split the condition over several resources.',
  },
  POLICY_WHEN_COST: {
    message: 'the condition may cost more than {limit} units to evaluate',
    remedy: 'Simplify the condition.',
  },
  POLICY_TEMPLATE_SYNTAX: {
    message: 'template {line}:{column}: {reason}',
    remedy: 'Templates follow Go text/template; see the policy reference.',
  },
  POLICY_TEMPLATE_MISSING_KEY: {
    message: 'template {line}:{column}: {path} is not defined',
    remedy:
      'Define the variable, or test for it with {{ if }} on its parent or the default function.',
  },
  POLICY_TEMPLATE_EXECUTION: {
    message: 'template {line}:{column}: {reason}',
    remedy: 'Check the types of the values that the template uses.',
  },
  POLICY_TEMPLATE_LIMIT: {
    message: 'template {line}:{column}: {reason}',
    remedy: 'Make the template, or the data that it walks over, smaller.',
  },
  PROTOCOL_MALFORMED: {
    message: 'The message does not follow the wire contract',
    remedy: 'Upgrade the older of the two sides; if both are current, report it with the trace id.',
  },
  PROTOCOL_TOO_LARGE: {
    message: 'The message is larger than its method allows',
    remedy: 'Make the policy, template or output smaller.',
  },
  PROTOCOL_VERSION: {
    message: 'The other side speaks another version of the contract',
    remedy: 'Upgrade the older of the two sides.',
  },
  PROTOCOL_NOT_JSON: {
    message: 'The value cannot be written as canonical JSON',
    remedy:
      'Use only finite numbers, strings, booleans, null, lists and maps, not nested too deep.',
  },
  PROTOCOL_BUNDLE_MALFORMED: {
    message: 'The policy bundle is not a document of this format',
    remedy: 'Upgrade the agent if the server is newer; otherwise publish the policy again.',
    exitCode: 4,
  },
  PROTOCOL_BUNDLE_SIGNATURE: {
    message: 'The policy bundle is not signed by the pinned server key',
    remedy: 'Find out who answered; if the server was rebuilt, register this node again.',
    exitCode: 4,
  },
  PROTOCOL_BUNDLE_WRONG_ENVOY: {
    message: 'The policy bundle is signed for another envoy',
    remedy: 'Find out why; a copied state directory must be removed before registering again.',
    exitCode: 4,
  },
  PROTOCOL_BUNDLE_EXPIRED: {
    message: 'The policy bundle has expired, so it is no longer enforced',
    remedy: 'Bring the server back within reach, and check the clock of this node.',
    exitCode: 4,
  },
  PROTOCOL_BUNDLE_ROLLBACK: {
    message: 'The policy bundle is older than the one this node already holds',
    remedy:
      'Restore the current policy database of the server, or publish again to raise the version.',
    exitCode: 4,
  },
  PROTOCOL_SEAL_BROKEN: {
    message: 'A sealed value cannot be opened by this node',
    remedy: 'It was sealed for another node or altered on the way; the agent asks again.',
    exitCode: 4,
  },
  PROTOCOL_BUNDLE_ROOT_MISMATCH: {
    message: 'The policy document is not the one that was signed',
    remedy: 'It was altered on the way or on disk; the agent fetches it again.',
    exitCode: 4,
  },
  AGENT_NO_POLICY: {
    message: 'This node holds no policy yet',
    remedy:
      'Wait for a check-in, or run `vigo run`; `vigo status` tells whether the server answers.',
    exitCode: 4,
  },
  AGENT_USAGE: {
    message: 'The command line is not understood',
    remedy: 'See `vigo --help`.',
    exitCode: 64,
  },
  AGENT_CONFIG_INVALID: {
    message: 'The configuration file is not valid',
    remedy: 'Correct the named line; `vigo --help` lists the keys.',
    exitCode: 64,
  },
  AGENT_NOT_REGISTERED: {
    message: 'This node is not registered with a server',
    remedy: 'Make a token with `vigocli tokens create` and run `vigo register` with it.',
    exitCode: 4,
  },
  AGENT_ALREADY_REGISTERED: {
    message: 'This node is already registered',
    remedy: 'Use `--force` to replace its identity; the old envoy stays known to the server.',
    exitCode: 4,
  },
  AGENT_IDENTITY_BROKEN: {
    message: 'The identity of this node cannot be read',
    remedy: 'Restore the files of the configuration directory, or register again with `--force`.',
    exitCode: 4,
  },
  AGENT_IDENTITY_EXPOSED: {
    message: 'The private key of this node can be read by others',
    remedy:
      'Set its mode to 0600; if others may have read it, revoke the envoy and register again.',
    exitCode: 4,
  },
  AGENT_SERVER_NOT_PINNED: {
    message: 'Nothing says which server to trust',
    remedy: 'Give --ca-file, --ca-fingerprint or a token that carries the fingerprint.',
    exitCode: 4,
  },
  AGENT_SERVER_PIN_MISMATCH: {
    message: 'The server does not hold the pinned certificate authority',
    remedy:
      'Compare the fingerprint with the one that the server printed; somebody may be between.',
    exitCode: 4,
  },
  AGENT_SERVER_UNREACHABLE: {
    message: 'The server cannot be reached',
    remedy: 'Check the address, the network and that the server runs; the agent keeps trying.',
    exitCode: 5,
  },
  AGENT_SERVER_TIMEOUT: {
    message: 'The server did not answer in time',
    remedy: 'Check the load of the server and the network; the agent keeps trying.',
    exitCode: 5,
  },
  AGENT_SERVER_REFUSED: {
    message: 'The server refused the request',
    remedy: 'Follow the remedy of the server.',
    exitCode: 4,
  },
  AGENT_SERVER_ANSWER: {
    message: 'The server answered with something that is not gRPC',
    remedy: 'Check that the address and port are those of vigosrv and no proxy stands between.',
    exitCode: 5,
  },
  AGENT_CACHE_ALTERED: {
    message: 'The cached policy was altered on disk and is not used',
    remedy: 'Find out who wrote to the state directory; the agent fetches the policy anew.',
    exitCode: 4,
  },
  AGENT_STATE_WRITE: {
    message: 'The agent cannot write its state directory',
    remedy: 'Free space, or correct the permissions of the state directory.',
  },
  AGENT_STATE_READ: {
    message: 'The agent cannot read a file of its own',
    remedy: 'Correct the permissions of the named directory, or run as the user that owns it.',
  },
  AGENT_STATE_DAMAGED: {
    message: 'A state file was damaged and what could be read of it was kept',
    remedy: 'Check the disk; nothing else needs to be done.',
  },
  AGENT_QUEUE_OVERFLOW: {
    message: 'The queue of results was full, so the oldest were dropped',
    remedy:
      'Bring the server back within reach; the counts of dropped results are in this incident.',
  },
  AGENT_RESULT_TOO_LARGE: {
    message: 'A result was larger than a report may be and was cut',
    remedy: 'Make the managed files or the number of resources that change at once smaller.',
  },
  AGENT_ANOTHER_RUNS: {
    message: 'Another agent uses this state directory',
    remedy: 'Stop it first, or give this one a --state-dir of its own.',
    exitCode: 4,
  },
  AGENT_LOCK_TAKEN: {
    message: 'Other users hold all names by which agents exclude each other',
    remedy: 'End that process; it has no business with these names. Then start the agent again.',
    exitCode: 4,
  },
  AGENT_PATH_ESCAPES_ROOT: {
    message: 'The path leads out of the confined root',
    remedy: 'Declare a path beneath the root that no link leads out of.',
    exitCode: 4,
  },
  POLICY_PARAMETER_INVALID: {
    message: 'The parameters of the resource are not valid',
    remedy: 'Correct the named parameters in the stack and publish again.',
  },
  AGENT_TYPE_UNKNOWN: {
    message: 'This agent does not know the resource type',
    remedy: 'Upgrade the agent, or correct the type.',
  },
  AGENT_TYPE_NOT_CONFINABLE: {
    message: 'Not possible inside a confined root, since it would act on the whole machine',
    remedy: 'Run the agent without --root, or remove the resource from this envoy.',
    outcome: 'blocked',
  },
  AGENT_SECRETS_UNAVAILABLE: {
    message: 'The resource needs a secret that this agent does not hold',
    remedy: 'Bring the server back within reach; nothing was written.',
    outcome: 'blocked',
  },
  AGENT_SECRET_MISPLACED: {
    message: 'A secret is referred to where its value cannot be put safely',
    remedy: 'Put the reference into a variable, or outside of the template action.',
    outcome: 'blocked',
  },
  AGENT_GUARDRAIL: {
    message: 'The resource would touch the agent or the server itself',
    remedy: 'Remove it from the stack; guardrails cannot be switched off.',
  },
  AGENT_VERIFY_FAILED: {
    message: 'Applied without an error, but the state is still not as declared',
    remedy: 'Look for another program that changes it back.',
  },
  AGENT_TIME_LIMIT: {
    message: 'The resource did not end within its time limit and was stopped',
    remedy: 'Find out what hangs, or raise the timeout of the resource.',
  },
  AGENT_ABORTED: {
    message: 'The pass was stopped',
    remedy: 'Nothing; the next pass continues.',
  },
  AGENT_DEPENDENCY_FAILED: {
    message: 'Skipped because something it depends on did not succeed',
    remedy: 'Repair the named resource first.',
  },
  AGENT_PLAN_CYCLE: {
    message: 'The resources depend on each other in a circle',
    remedy: 'Remove one of the named dependencies.',
  },
  AGENT_PLAN_REFERENCE: {
    message: 'A reference names no resource and no module',
    remedy: 'Correct the name, or publish the policy again.',
  },
  AGENT_PLAN_DUPLICATE: {
    message: 'Two resources or modules have the same name',
    remedy: 'Rename one of them.',
  },
  AGENT_PLAN_TOO_LARGE: {
    message: 'The bundle holds more resources than one agent enforces',
    remedy: 'Split the policy over several envoys; limits are in docs/limits.md.',
  },
  AGENT_INTERNAL: {
    message: 'The agent has a defect',
    remedy: 'Report it with the detail; the other resources are not affected.',
  },
  ...resourceErrors,
  ...installErrors,
  ...selinuxErrors,
  ...languageErrors,
  ...auditErrors,
  ...containerErrors,
  ...updateErrors,
} as const satisfies Record<string, AgentErrorEntry>;

export type AgentErrorCode = keyof typeof registry;
export type ErrorDetails = Readonly<Record<string, string | number | boolean>>;

export interface AgentErrorOptions {
  readonly cause?: unknown;
  /** Milliseconds after which the same attempt may succeed. */
  readonly retryAfterMs?: number;
}

/**
 * A coded failure. `details` fill the `{name}` places of the message; a plain string, or a detail
 * called `detail`, follows the message after a colon. Details must never hold a secret.
 */
export class AgentError extends Error {
  override readonly name = 'AgentError';
  readonly code: AgentErrorCode;
  readonly details: ErrorDetails;
  readonly retryAfterMs: number;

  constructor(
    code: AgentErrorCode,
    details: ErrorDetails | string = {},
    options: AgentErrorOptions = {},
  ) {
    const named = typeof details === 'string' ? { detail: details } : details;
    super(fill(registry[code].message, named), { cause: options.cause });
    this.code = code;
    this.details = named;
    this.retryAfterMs = options.retryAfterMs ?? 0;
  }

  get remedy(): string {
    return registry[this.code].remedy;
  }

  /** What a resource that raised it becomes. */
  get outcome(): 'blocked' | 'failed' {
    const entry: AgentErrorEntry = registry[this.code];
    return entry.outcome ?? 'failed';
  }

  get exitCode(): number {
    const entry: AgentErrorEntry = registry[this.code];
    return entry.exitCode ?? 1;
  }
}

function fill(template: string, details: ErrorDetails): string {
  const message = template.replace(/\{(\w+)\}/g, (whole, name: string) =>
    name in details ? String(details[name]) : whole,
  );
  return details.detail === undefined || details.detail === ''
    ? message
    : `${message}: ${details.detail}`;
}

/** Every code with its texts, for the reference page and the test of completeness. */
export function agentErrorCodes(): ReadonlyMap<AgentErrorCode, AgentErrorEntry> {
  return new Map(Object.entries(registry) as [AgentErrorCode, AgentErrorEntry][]);
}

/**
 * Every refusal and failure that the agent and the wire contract can name. Codes are stable: they
 * are logged, reported, documented (docs/errors.md) and matched by programs.
 */
interface AgentErrorEntry {
  /** What happened; `{name}` is replaced by the detail of that name. */
  readonly message: string;
  /** What the reader can do about it. */
  readonly remedy: string;
  /** Exit code of the `vigo` program; 1 when absent. 4 = refused, 5 = unreachable, 64 = usage. */
  readonly exitCode?: number;
  /** What a resource becomes: blocked = trouble of the machine around it. Default failed. */
  readonly outcome?: 'blocked' | 'failed';
}

const registry = {
  POLICY_WHEN_SYNTAX: {
    message: 'in the condition, at {offset}: {reason}',
    remedy: 'See the list of conditions in the policy reference.',
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
  AGENT_PATH_ESCAPES_ROOT: {
    message: 'The path leads out of the confined root',
    remedy: 'Declare a path beneath the root that no link leads out of.',
    exitCode: 4,
  },
  POLICY_PARAMETER_INVALID: {
    message: 'The parameters of the resource are not valid',
    remedy: 'Correct the named parameters in the stack and publish again.',
  },
  AGENT_PACKAGE_LOCKED: {
    message: 'Another program holds the package database',
    remedy: 'Nothing to do if it ends by itself; the next pass tries again.',
    outcome: 'blocked',
  },
  AGENT_PACKAGE_REPOSITORY: {
    message: 'A package repository cannot be used',
    remedy: 'Check the package sources, their keys and the network on the node.',
    outcome: 'blocked',
  },
  AGENT_PACKAGE_UNKNOWN: {
    message: 'No such package or version',
    remedy: 'Check the name and version; set update_cache when the lists may be old.',
  },
  AGENT_PACKAGE_FAILED: {
    message: 'The package manager failed',
    remedy: 'Run the same operation by hand on the node and read its output.',
  },
  AGENT_IMPORT_REFUSED: {
    message: '{what} cannot be imported: {why}',
    remedy: 'Choose something else, or write the resource by hand.',
  },
  AGENT_PACKAGE_MANAGER_MISSING: {
    message: 'No supported package manager on this machine',
    remedy: 'Guard the resource with a condition such as os_family.',
  },
  AGENT_DISK_FULL: {
    message: 'No space is left on the device',
    remedy: 'Free space on the node; the next pass tries again.',
    outcome: 'blocked',
  },
  AGENT_SERVICE_MANAGER_MISSING: {
    message: 'No supported service manager runs on this machine',
    remedy: 'Guard the resource with a condition; systemd must be running as PID 1.',
  },
  AGENT_SERVICE_UNKNOWN: {
    message: 'The service does not exist',
    remedy: 'Let it depend on the package that brings it, or correct the name.',
  },
  AGENT_SERVICE_FAILED: {
    message: 'The service did not do as told',
    remedy: 'Read systemctl status and journalctl -u of the service on the node.',
  },
  AGENT_ACCOUNT_MANAGER_MISSING: {
    message: 'No supported tool for users and groups on this machine',
    remedy: 'Install the package passwd, or guard the resource with a condition.',
  },
  AGENT_ACCOUNT_FAILED: {
    message: 'The account tool failed',
    remedy: 'Run the same operation by hand on the node and read its output.',
  },
  AGENT_ACCOUNT_LOCKED: {
    message: 'Another program holds the account files',
    remedy: 'Nothing to do if it ends by itself; the next pass tries again.',
    outcome: 'blocked',
  },
  AGENT_GROUP_UNKNOWN: {
    message: 'The group does not exist',
    remedy: 'Declare the group and let this resource depend on it.',
  },
  AGENT_USER_UNKNOWN: {
    message: 'The user does not exist',
    remedy: 'Declare the user and let this resource depend on it.',
  },
  AGENT_COMMAND_TIMEOUT: {
    message: 'A command did not end in time',
    remedy: 'Raise the time limit of the resource or find out what hangs.',
  },
  AGENT_PATH_INVALID: {
    message: 'The path must be absolute, without NUL, and at most 4096 bytes long',
    remedy: 'Correct the path in the stack.',
  },
  AGENT_PATH_LOOP: {
    message: 'The path leads through too many symbolic links',
    remedy: 'Remove the loop of links on the node.',
  },
  AGENT_PATH_OCCUPIED: {
    message: 'Something of another kind is at the path',
    remedy: 'Move it away by hand, or declare its removal first; nothing was changed.',
  },
  AGENT_LINK_NOT_TRUSTED: {
    message: 'A link of another user is where a directory is declared',
    remedy: 'Remove the link, or declare the directory that it points to.',
  },
  AGENT_PATH_MISSING: {
    message: 'A file that the resource needs is not there',
    remedy: 'Declare what creates it, and let this resource depend on that.',
  },
  AGENT_REGION_MISSING: {
    message: 'No line matches region_start, so there is no place for the edit',
    remedy: 'Correct the expression, or declare what writes the region first.',
  },
  AGENT_LINE_MISSING: {
    message: 'No line matches, so there is nothing to edit',
    remedy: 'Correct the expression, or declare what writes the line first.',
  },
  AGENT_FIELD_MISSING: {
    message: 'The line has too few fields',
    remedy: 'Correct select_field or field_separator, or set extend_fields.',
  },
  AGENT_EDIT_NOT_STABLE: {
    message: 'The edit would change its own result again on the next pass, so it was not made',
    remedy: 'Let the pattern match only what is wrong, not what the edit makes of it.',
  },
  AGENT_FILE_NOT_JSON: {
    message: 'The file is not JSON, so a value in it cannot be edited',
    remedy: 'Repair the file at the named line, or manage all of it with the type file.',
  },
  AGENT_STRUCTURE_MISMATCH: {
    message: 'The structure of the file does not fit the key',
    remedy: 'Correct the key, or the file on the node; nothing was changed.',
  },
  AGENT_FILE_TOO_LARGE: {
    message: 'The file is larger than this resource type may edit',
    remedy: 'Manage the file by other means; limits are in docs/limits.md.',
  },
  AGENT_FILE_NOT_TEXT: {
    message: 'The file is not UTF-8 text, so lines in it cannot be edited safely',
    remedy: 'Manage the whole file with the type file.',
  },
  AGENT_TREE_TOO_LARGE: {
    message: 'The tree holds more entries than recurse may visit',
    remedy: 'Narrow the path, or set owner and mode by a command with a guard.',
  },
  AGENT_READ_ONLY_FILE_SYSTEM: {
    message: 'The file system is mounted read-only',
    remedy: 'Find out why (often a disk error) and mount it writable; the next pass tries again.',
    outcome: 'blocked',
  },
  AGENT_RESOURCES_EXHAUSTED: {
    message: 'The node is out of processes, memory or open files',
    remedy: 'Find what uses them up; the next pass tries again.',
    outcome: 'blocked',
  },
  AGENT_PERMISSION_DENIED: {
    message: 'The agent may not do this',
    remedy: 'Run the agent as root, or confine it to a root that it owns.',
  },
  AGENT_COMMAND_MISSING: {
    message: 'A program that the resource needs is not installed',
    remedy: 'Declare its package, and let this resource depend on it.',
    outcome: 'blocked',
  },
  AGENT_COMMAND_FAILED: {
    message: 'The command failed',
    remedy: 'Run it by hand on the node, or list its exit code in returns.',
  },
  AGENT_VALIDATION_FAILED: {
    message: 'The validate command refused the new content, so it was not written',
    remedy: 'Correct the content; the old file is untouched.',
  },
  AGENT_SYSTEM_CALL: {
    message: 'A call to the operating system failed',
    remedy: 'Read the error name in the detail; errno(3) explains it.',
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

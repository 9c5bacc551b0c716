/**
 * Every error that the agent, the protocol and the policy language raise: a stable code, one
 * sentence with `{details}` filled in, and what to do next. `exitCode` is what a command ends with.
 */
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
    message: 'evaluating the condition took more than {limit} function calls',
    remedy: 'Simplify the condition.',
  },
  POLICY_TEMPLATE_SYNTAX: {
    message: 'template {line}:{column}: {reason}',
    remedy: 'Templates follow Go text/template; see the policy reference.',
  },
  POLICY_TEMPLATE_MISSING_KEY: {
    message: 'template {line}:{column}: {path} is not defined',
    remedy: 'Define the variable, or test for it with {{ if }} on its parent or the default function.',
  },
  POLICY_TEMPLATE_EXECUTION: {
    message: 'template {line}:{column}: {reason}',
    remedy: 'Check the types of the values that the template uses.',
  },
  POLICY_TEMPLATE_LIMIT: {
    message: 'template {line}:{column}: {reason}',
    remedy: 'Make the template, or the data that it walks over, smaller.',
  },
} as const satisfies Record<string, ErrorEntry>;

interface ErrorEntry {
  /** `{name}` is replaced by the detail of that name. */
  readonly message: string;
  readonly remedy: string;
  readonly exitCode?: number;
}

export type AgentErrorCode = keyof typeof registry;
export type ErrorDetails = Readonly<Record<string, string | number | boolean>>;

export class AgentError extends Error {
  override readonly name = 'AgentError';
  readonly code: AgentErrorCode;
  readonly details: ErrorDetails;

  constructor(code: AgentErrorCode, details: ErrorDetails = {}, options?: ErrorOptions) {
    super(fill(registry[code].message, details), options);
    this.code = code;
    this.details = details;
  }

  get remedy(): string {
    return registry[this.code].remedy;
  }

  get exitCode(): number {
    const entry: ErrorEntry = registry[this.code];
    return entry.exitCode ?? 1;
  }
}

function fill(template: string, details: ErrorDetails): string {
  return template.replace(/\{(\w+)\}/g, (whole, name: string) =>
    name in details ? String(details[name]) : whole,
  );
}

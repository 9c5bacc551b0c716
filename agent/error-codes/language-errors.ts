import type { AgentErrorEntry } from './entry.ts';

/** What pip, gem, npm and nonrepo_package fail with; part of the registry of agent/errors.ts. */
export const languageErrors = {
  AGENT_INDEX_UNREACHABLE: {
    message: 'The package index cannot be used',
    remedy: 'Check source, its certificate and the network of the node; the next pass tries again.',
    outcome: 'blocked',
  },
  AGENT_PACKAGE_FILE: {
    message: 'The file is not the package that is declared',
    remedy: 'Correct url or package; nothing was installed.',
  },
  AGENT_PIP_EXTERNALLY_MANAGED: {
    message: "The distribution's own packages own this Python, so pip does not change it",
    remedy: 'Give virtualenv, or extra_args: ["--break-system-packages"].',
  },
} as const satisfies Record<string, AgentErrorEntry>;

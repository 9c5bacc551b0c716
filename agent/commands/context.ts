import type { Engine } from '../converge/engine.ts';
import type { Identity, IdentityCrypto } from '../identity/identity.ts';
import type { ServerPin } from '../identity/server-pin.ts';
import type { LiveFacts, RunningAgent } from '../live-facts.ts';
import type { Logger } from '../log.ts';
import type { StateFiles } from '../offline/state-files.ts';
import type { AgentClock, Host, Platform } from '../platform/platform.ts';
import type { ProgramIo } from '../platform/program.ts';
import type { Verifier } from '../protocol/crypto.ts';
import type { TraitCollection } from '../traits/collect.ts';
import type { AgentFacts } from '../traits/collector.ts';
import type { Channel } from '../transport.ts';
import type { ProgramFiles } from '../update/program-files.ts';
import { agentVersion } from '../version.ts';
import type { Settings } from './settings.ts';

/** What the program is made of on this operating system; tests bring their own. */
export interface ProgramParts {
  readonly clock: AgentClock;
  readonly host: Host;
  readonly openFiles: (directory: string) => StateFiles;
  readonly identityCrypto: IdentityCrypto;
  readonly verifier: () => Verifier;
  /** A connection that knows the server by a pin only. */
  readonly openPinned: (server: string, pin: ServerPin) => Channel;
  /** A connection that shows the envoy's certificate. */
  readonly openMutual: (server: string, identity: Identity) => Channel;
  readonly platform: (settings: Settings) => Platform;
  readonly engine: (settings: Settings, platform: Platform) => Engine;
  readonly openTraits: (platform: Platform, facts: AgentFacts) => TraitCollection;
  /** The installed versions of this program. */
  readonly programs: (settings: Settings) => ProgramFiles;
  /** Resolves to the release; throws AGENT_ANOTHER_RUNS. `tell` is what `askRunning` gets. */
  readonly lock: (stateDirectory: string, tell: () => Partial<LiveFacts>) => Promise<() => void>;
  /** What the agent that runs on this state directory says; undefined when none does. */
  readonly askRunning: (stateDirectory: string) => Promise<RunningAgent | undefined>;
}

/** What a command gets. */
export interface CommandContext {
  readonly settings: Settings;
  readonly operands: readonly string[];
  readonly options: ReadonlyMap<string, string>;
  readonly io: ProgramIo;
  readonly parts: ProgramParts;
  readonly log: Logger;
}

/** Exit codes of the program; `vigo --help` shows them. */
export const exitCodes = {
  done: 0,
  error: 1,
  changesPending: 2,
  partial: 3,
  refused: 4,
  unreachable: 5,
  usage: 64,
} as const;

/** What the agent knows of itself, for its traits. */
export function traitFacts(settings: Settings, envoyUuid: string | undefined): AgentFacts {
  return { envoyUuid, agentVersion, securityDirectory: `${settings.stateDirectory}/security` };
}

/** Where the identity lies, beneath the configuration directory. */
export function identityDirectory(settings: Settings): string {
  return `${settings.configDirectory}/identity`;
}

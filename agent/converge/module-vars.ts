import type { Platform } from '../platform/platform.ts';
import { parseWhen } from '../policy/when/when.ts';
import type { BundleModule, PolicyValue } from '../protocol/bundle.ts';
import type { Traits } from './compile.ts';
import { NodeConditions } from './environment.ts';
import { withinLimit } from './time-limit.ts';

export type Vars = Readonly<Record<string, PolicyValue>>;

/** What conditions are evaluated in; one object per pass, in which each has one answer. */
export interface VarsContext {
  readonly platform: Platform;
  readonly traits: Traits;
}

/**
 * The variables of a module in a pass, conditional ones included. The same object again as long as
 * the same conditions hold.
 *
 * @throws {AgentError} POLICY_WHEN_*
 */
export type ModuleVars = (context: VarsContext) => Promise<Vars>;

const conditionsLimitMs = 60_000;

export function compileModuleVars({ vars, conditionalVars }: BundleModule): ModuleVars {
  if (conditionalVars === undefined || conditionalVars.length === 0) return async () => vars;
  const answers = new WeakMap<VarsContext, Promise<Vars>>();
  let last: { held: string; vars: Vars } | undefined;
  const evaluate = async (context: VarsContext, signal: AbortSignal): Promise<Vars> => {
    const conditions = new NodeConditions(context.platform, context.traits, false, signal);
    const holding: Vars[] = [];
    let held = '';
    for (const { when, vars: own } of conditionalVars) {
      const holds = await parseWhen(when).evaluate(conditions);
      held += holds ? '1' : '0';
      if (holds) holding.push(own);
    }
    if (last?.held !== held) last = { held, vars: Object.assign({}, vars, ...holding) as Vars };
    return last.vars;
  };
  return (context) => {
    let answer = answers.get(context);
    if (answer === undefined) {
      // Whoever asks first may be stopped; the others still need the answer.
      answer = withinLimit(context.platform.clock, conditionsLimitMs, undefined, (signal) =>
        evaluate(context, signal),
      );
      answers.set(context, answer);
    }
    return answer;
  };
}

import { AgentError } from '../../errors.ts';
import {
  type AccountManager,
  detectAccountManager,
} from '../../platform/accounts/account-manager.ts';
import type { Platform } from '../../platform/platform.ts';
import { createGroupType } from './group.ts';
import { createUserType } from './user.ts';

/** The types for users and groups; they share one manager, so that its tools run one at a time. */
export function createAccountTypes(
  detect: (platform: Platform) => Promise<AccountManager | undefined> = detectAccountManager,
) {
  const managers = new WeakMap<Platform, AccountManager>();
  async function managerOf(platform: Platform): Promise<AccountManager> {
    const manager = managers.get(platform) ?? (await detect(platform));
    if (manager === undefined) throw new AgentError('AGENT_ACCOUNT_MANAGER_MISSING');
    const first = managers.get(platform) ?? manager;
    managers.set(platform, first);
    return first;
  }
  return { userType: createUserType(managerOf), groupType: createGroupType(managerOf) };
}

export const { userType, groupType } = createAccountTypes();

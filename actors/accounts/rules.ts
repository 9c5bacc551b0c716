import { accessRoles } from '../access/messages.ts';
import { type AccountChanges, accountRoles } from './messages.ts';
import { selectorProblem } from './selector.ts';

/** Lower case only, so that no two names look alike in the audit log. */
const nameForm = /^[a-z][a-z0-9._-]{0,62}$/;
/** Names of what is no person. */
const reservedNames = new Set(['local', 'server', 'anybody', 'system', 'unknown', 'setup']);
const textLengthMax = 200;
const grantsMax = 100;

export function nameProblem(name: string): string | undefined {
  if (reservedNames.has(name)) return `the name ${name} is reserved`;
  if (nameForm.test(name)) return undefined;
  return 'a name begins with a letter and has up to 63 lower-case letters, digits, ".", "_" or "-"';
}

export function changesProblem(changes: AccountChanges): string | undefined {
  const { displayName = '', email = '', role, grants = [] } = changes;
  if (displayName.length > textLengthMax || email.length > textLengthMax) {
    return `a display name and an e-mail address have up to ${textLengthMax} characters`;
  }
  if (/\p{Cc}/u.test(displayName + email)) return 'a display name has no control characters';
  if (email !== '' && !/^[^\s@]+@[^\s@]+$/.test(email)) return `${email} is no e-mail address`;
  if (role !== undefined && !accountRoles.includes(role)) return `there is no role ${role}`;
  if (grants.length > grantsMax) return `an account has up to ${grantsMax} grants`;
  for (const grant of grants) {
    if (!accessRoles.includes(grant.role)) return `there is no role ${grant.role}`;
    const problem = selectorProblem(grant.envoys);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

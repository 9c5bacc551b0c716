import { accountPage } from './account.ts';
import { accountsPage } from './accounts.ts';
import { apiTokensPage } from './tokens.ts';

/** The tokens stand before the accounts, whose path theirs would fit. */
export const peoplePages = [accountsPage, apiTokensPage, accountPage];

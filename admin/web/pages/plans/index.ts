import { plansPage } from './list.ts';
import { planPage } from './plan.ts';

export const planPages = [plansPage, planPage];

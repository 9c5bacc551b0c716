import { doctorPage } from './doctor.ts';
import { healthPage } from './health.ts';

export const serverPages = [healthPage, doctorPage];

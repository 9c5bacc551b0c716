import type { AnyKind } from '../../runtime/host.ts';
import { doctorKind } from '../doctor/actor.ts';
import { descriptorLimit, examineMachine } from './doctor/examine.ts';
import type { ServerThreadData } from './thread-data.ts';

/** Looks at this server's home and database. */
export function doctorServices({ layout, config, version }: ServerThreadData): AnyKind {
  return doctorKind({
    examine: (nowMs) =>
      examineMachine({
        home: layout.root,
        nowMs,
        version,
        database: config.database.file,
        intervalMs: config.checkin.intervalMs,
        descriptorLimit: descriptorLimit(),
      }),
  });
}

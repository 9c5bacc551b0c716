import { Type } from 'typebox';
import type {
  EnvoyDetailView,
  EnvoyPage,
  EnvoyView,
  MaintenanceView,
  ResourcesView,
  ResourceView,
  SavedView,
  TraitsView,
  TransitionView,
} from '../../../actors/sink/fleet-views.ts';
import {
  anyEnvoyState,
  count,
  envoyState,
  flag,
  maybe,
  milliseconds,
  object,
  stateCounts,
  text,
  time,
} from './basics.ts';
import { runShape } from './runs.ts';
import { shape } from './shape.ts';

const maintenance = shape<MaintenanceView>()(object({ sinceMs: time, reason: text, by: text }));

const envoy = {
  id: text,
  hostname: text,
  state: anyEnvoyState,
  stateSinceMs: maybe(time),
  lastSeenMs: maybe(time),
  policyVersion: maybe(count),
  agentVersion: text,
  os: text,
  update: maybe(object({ version: text, phase: text, code: text, message: text, atMs: time })),
  maintenance: maybe(maintenance),
  enrolledAtMs: time,
  certificateEndsMs: maybe(time),
  revoked: flag,
};

export const envoyShape = shape<EnvoyView>()(object(envoy));

export const envoyPageShape = shape<EnvoyPage>()(
  object({
    items: Type.Array(envoyShape),
    next: maybe(text),
    total: count,
    counts: stateCounts,
  }),
);

const transitionShape = shape<TransitionView>()(
  object({
    atMs: time,
    from: envoyState,
    to: envoyState,
    reason: text,
    afterMs: maybe(milliseconds),
  }),
);

export const historyShape = object({
  items: Type.Array(transitionShape),
  next: maybe(text),
});

export const envoyDetailShape = shape<EnvoyDetailView>()(
  object({
    ...envoy,
    revokedAtMs: maybe(time),
    revokedReason: maybe(text),
    certificateSerial: text,
    traitsReceivedMs: maybe(time),
    runs: Type.Array(runShape),
    history: Type.Array(transitionShape),
  }),
);

export const traitsShape = shape<TraitsView>()(
  object({
    envoyId: text,
    hostname: text,
    receivedAtMs: time,
    hash: text,
    traits: Type.Record(Type.String(), Type.Unknown()),
  }),
);

const resourceShape = shape<ResourceView>()(
  object({
    id: text,
    type: text,
    action: text,
    reason: text,
    errorCode: text,
    runId: text,
    runStartedAtMs: time,
    changedAtMs: maybe(time),
  }),
);

export const resourcesShape = shape<ResourcesView>()(
  object({
    items: Type.Array(resourceShape),
    total: count,
    unchanged: count,
    lastRun: maybe(runShape),
  }),
);

export const savedViewShape = shape<SavedView>()(
  object({
    name: text,
    query: object({
      selector: maybe(text),
      state: maybe(text),
      sort: maybe(text),
      order: maybe(Type.Enum(['asc', 'desc'])),
    }),
    changedAtMs: time,
  }),
);

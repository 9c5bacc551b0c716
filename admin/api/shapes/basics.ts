import { Type } from 'typebox';
import { envoyStates, revokedState } from '../../../actors/envoy/states.ts';
import { object } from '../schemas.ts';

export const text = Type.String();
export const flag = Type.Boolean();
export const count = Type.Integer({ minimum: 0 });
/** By the server's clock. */
export const time = Type.Number({ description: 'milliseconds since 1970' });
export const milliseconds = Type.Number({ minimum: 0, description: 'milliseconds' });

export const envoyState = Type.Enum(envoyStates);
export const anyEnvoyState = Type.Enum([...envoyStates, revokedState]);
export const stateCounts = Type.Record(anyEnvoyState, count);

export const maybe = Type.Optional;
export { object };

import { Type } from 'typebox';
import { policyKinds, policySchemas } from '../../../agent/policy/editor-schema/policy-schemas.ts';
import { route } from '../route.ts';
import { nothing } from '../schemas.ts';

const kinds = policyKinds.map((kind) => Type.Literal(kind));

/** For editors, which have no token; the schemas say nothing about the fleet. */
export const schemaRoutes = [
  route({
    method: 'GET',
    path: '/schema/{kind}.json',
    summary: 'The JSON Schema of one kind of policy file, for editors',
    access: 'public',
    cacheSeconds: 3600,
    parameters: Type.Object({ kind: Type.Union(kinds) }),
    query: nothing,
    body: undefined,
    handle: async ({ parameters }) => policySchemas()[parameters.kind],
  }),
];

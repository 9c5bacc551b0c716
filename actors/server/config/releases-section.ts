import { Type } from 'typebox';

/** Keys at a time: the one in use, and those that follow it. */
const keyLimit = 16;
const keyForm = /^[0-9a-f]{64}$/;

/** The section `releases` of server.yaml. */
export const releasesSection = Type.Object(
  {
    public_keys: Type.Array(Type.String({ maxLength: 64 }), {
      description:
        'Ed25519 keys that sign releases of the agent, kept elsewhere; machines pin them when they\n' +
        'enroll. Empty: this server signs releases with the key that signs its policy.',
      default: [],
      maxItems: keyLimit,
      expected: 'a list of keys of 64 hexadecimal digits; vigocli releases key prints one',
    }),
    downloads: Type.Integer({
      description: 'Machines that may fetch a release at the same time, per shard.',
      default: 50,
      minimum: 1,
      maximum: 10_000,
      expected: 'a whole number from 1 to 10000',
    }),
    bytes_per_second: Type.Integer({
      description: 'What one shard sends of releases per second.',
      default: 25_000_000,
      minimum: 100_000,
      maximum: 10_000_000_000,
      expected: 'a whole number of bytes from 100000 to 10000000000',
    }),
  },
  { additionalProperties: false, description: 'How agents are updated; docs/updates.md.' },
);

/** Rules that JSON Schema cannot say; by the path of the key. */
export const releasesItemChecks: ReadonlyMap<string, (item: string) => boolean> = new Map([
  ['releases.public_keys', (item: string) => keyForm.test(item)],
]);

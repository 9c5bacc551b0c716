import { execFileSync } from 'node:child_process';
import t from 'tap';
import {
  saltOf,
  sha512Crypt,
  sha512CryptMatches,
} from '../../../agent/platform/accounts/sha512-crypt.ts';
import { fc } from '../../support/property.ts';
import { requires } from '../../support/requires.ts';

/** The vectors of the specification's reference implementation: setting, password, hash. */
const vectors = [
  [
    '$6$saltstring',
    'Hello world!',
    '$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1',
  ],
  [
    '$6$rounds=10000$saltstringsaltstring',
    'Hello world!',
    '$6$rounds=10000$saltstringsaltst$OW1/O6BYHV6BcXZu8QVeXbDWra3Oeqh0sbHbbMCVNSnCM/UrjmM0Dp8vOuZeHBy/YTBmSK6H9qs/y3RnOaw5v.',
  ],
  [
    '$6$rounds=5000$toolongsaltstring',
    'This is just a test',
    '$6$rounds=5000$toolongsaltstrin$lQ8jolhgVRVhY4b5pZKaysCLi0QBxGoNeKQzQ3glMhwllF7oGDZxUhx1yxdYcz/e1JSbq3y6JMxxl8audkUEm0',
  ],
  [
    '$6$rounds=10$roundstoolow',
    'the minimum number is still observed',
    '$6$rounds=1000$roundstoolow$kUMsbe306n21p9R.FRkW3IGn.S9NPN0x50YhH1xhLsPuWGsUSklZt58jaTfF4ZEQpyUNGc0dqbpBYYBaHHrsX.',
  ],
] as const;

t.test('the vectors of the specification', async (t) => {
  for (const [setting, password, hash] of vectors) {
    t.equal(sha512Crypt(password, setting), hash, setting);
    t.ok(sha512CryptMatches(password, hash));
    t.notOk(sha512CryptMatches(`${password}.`, hash));
  }
});

t.test(
  'any password is hashed as OpenSSL does it',
  { skip: requires('command:openssl') },
  async () => {
    const password = fc
      .string({ minLength: 1, maxLength: 80 })
      .filter((text) => !/[\n\r\0]/.test(text));
    fc.assert(
      fc.property(password, (text) => {
        const argv = ['passwd', '-6', '-salt', 'abcdefgh', '-stdin'];
        const known = execFileSync('openssl', argv, {
          input: `${text}\n`,
          encoding: 'utf8',
        }).trim();
        return sha512Crypt(text, '$6$abcdefgh') === known;
      }),
      { numRuns: 20 },
    );
  },
);

t.test('other methods and locked accounts never match', async (t) => {
  for (const hash of ['', '!', '*', '!$6$abc$def', '$y$j9T$x$y', '$6$rounds=999999999$a$b'])
    t.notOk(sha512CryptMatches('', hash), hash);
});

t.test('a salt is 16 characters that crypt accepts', async (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (random) =>
      /^[./0-9A-Za-z]{16}$/.test(saltOf(random)),
    ),
  );
  t.pass('for all random bytes');
});

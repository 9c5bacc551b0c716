import t from 'tap';
import { oneLine } from '../../../agent/converge/failure.ts';
import { Redactor, redacted, redactedLength } from '../../../agent/secrets/redactor.ts';
import { fc } from '../../support/property.ts';

const value = fc.string({ minLength: 6, maxLength: 60, unit: 'grapheme-ascii' }).filter((text) => {
  return text.trim().length >= 6 && !redacted.includes(text) && !text.includes('*');
});

t.test('no value of a length worth keeping survives, in no form that programs print', async (t) => {
  fc.assert(
    fc.property(value, fc.string(), fc.string(), (secret, before, after) => {
      const redactor = new Redactor([secret]);
      const bytes = Buffer.from(secret);
      for (const form of [
        secret,
        bytes.toString('base64'),
        bytes.toString('base64url'),
        bytes.toString('hex'),
        encodeURIComponent(secret),
        JSON.stringify(secret),
      ]) {
        const clean = redactor.text(`${before}${form}${after}`);
        if (clean.includes(secret) && !`${before}${after}`.includes(secret)) return false;
        if (form.length > secret.length && clean.includes(form)) return false;
      }
      return true;
    }),
  );
  t.pass();
});

t.test('texts without a value stay as they are', async (t) => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      fc.pre(!text.includes('zq-unlikely'));
      return new Redactor(['zq-unlikely-7f']).text(text) === text;
    }),
  );
  t.equal(new Redactor([]).text('anything'), 'anything');
  t.equal(new Redactor(['ab']).text('cab', false), 'cab', 'too short to be looked for everywhere');
  t.equal(new Redactor(['ab']).text('cab', true), 'c***', 'but not in its own resource');
});

t.test('half a value at a cut is taken out too', async (t) => {
  const secret = 'correct horse battery staple';
  const redactor = new Redactor([secret]);
  const left = (text: string) => {
    for (let size = secret.length - 1; size >= redactedLength; size -= 1) {
      if (text.includes(secret.slice(0, size)) || text.includes(secret.slice(-size))) return true;
    }
    return false;
  };
  for (let cut = 0; cut < secret.length; cut += 1) {
    t.notOk(left(redactor.text(`exit 1: ...${secret.slice(cut)} is wrong`)), `from ${cut}`);
    t.notOk(left(redactor.text(`wrong: ${secret.slice(0, cut)}…`)), `to ${cut}`);
  }
  const long = `${'x'.repeat(980)}${secret} and more of it`;
  t.notOk(left(oneLine(redactor.text(long))), 'cleaned before it is cut');
});

t.test('the lines of a long value are values themselves', async (t) => {
  const key = '-----BEGIN KEY-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQEF\n-----END KEY-----\n';
  const redactor = new Redactor([key]);
  t.notMatch(redactor.text('line 2: kqhkiG9w0BAQEF'), 'kqhkiG9w0BAQEF');
  t.notMatch(redactor.text(key.replaceAll('\n', '; ')), 'MIIE');
});

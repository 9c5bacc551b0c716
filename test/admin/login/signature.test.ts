import { generateKeyPairSync, sign } from 'node:crypto';
import { chmodSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import {
  checkChallenge,
  signWithAgent,
  signWithKeyFile,
} from '../../../admin/cli/login/sign-challenge.ts';
import type { AdminError } from '../../../admin/errors.ts';
import { challengeText } from '../../../admin/login/challenge-text.ts';
import {
  fingerprintOf,
  isWeak,
  KeyTextError,
  parseLoginKey,
} from '../../../admin/login/public-key.ts';
import {
  loginNamespace,
  SignatureError,
  verifyEd25519,
  verifySshSignature,
} from '../../../admin/login/signature.ts';
import { OpenSsh } from '../../support/openssh.ts';
import { fc } from '../../support/property.ts';
import { requires } from '../../support/requires.ts';
import { testAuthority } from '../../support/test-authority.ts';

const skip = requires('command:ssh-keygen', 'command:ssh-agent', 'command:ssh-add');
t.test('keys and signatures of OpenSSH', { skip }, async (t) => {
  const ssh = new OpenSsh(t);
  const key = ssh.key('alice');
  const other = ssh.key('other');
  const rsa = ssh.key('rsa', 'rsa');
  const locked = ssh.key('locked', 'ed25519', 'a passphrase');
  const message = challengeText({
    server: 'vigo.example.com',
    authority: 'ab'.repeat(32),
    account: 'alice',
    nonce: 'n'.repeat(43),
    expiresAtMs: 60_000,
  });
  const publicKey = Buffer.from(parseLoginKey(ssh.publicLine(key)).publicKey);

  function reasonOf(armored: string, signed = message): string {
    try {
      verifySshSignature(armored, signed);
    } catch (error) {
      if (error instanceof SignatureError) return error.message;
      throw error;
    }
    return 'good';
  }

  t.test('what OpenSSH signs is taken, whichever hash it used', async (t) => {
    for (const hash of ['sha512', 'sha256']) {
      const armored = ssh.sign(key, message, loginNamespace, ['-O', `hashalg=${hash}`]);
      t.same(Buffer.from(verifySshSignature(armored, message)), publicKey, hash);
    }
    t.same(
      Buffer.from(verifySshSignature(await signWithKeyFile(message, key), message)),
      publicKey,
    );
    const listed = ssh.run('ssh-keygen', ['-l', '-f', `${key}.pub`]);
    t.match(listed, fingerprintOf(publicKey), 'people see the same fingerprint');
  });

  t.test('an agent signs without giving the key away, and OpenSSH agrees', async (t) => {
    const socket = await ssh.agent(t, [rsa, key, other]);
    const signatures = await signWithAgent(message, socket);
    t.equal(signatures.length, 2, 'the RSA key is left out');
    t.same(Buffer.from(verifySshSignature(signatures[0] ?? '', message)), publicKey);
    const file = join(ssh.directory, 'from-agent.sig');
    writeFileSync(file, signatures[0] ?? '');
    const check = ['-Y', 'check-novalidate', '-n', loginNamespace, '-s', file];
    t.match(ssh.run('ssh-keygen', check, message), /Good "vigo-login" signature/);
  });

  t.test('an agent that is not there, empty, or talks nonsense is named', async (t) => {
    const rejects = (socket: string | undefined, words: RegExp) =>
      t.rejects(signWithAgent(message, socket), { code: 'CLI_SSH_AGENT', message: words });
    await rejects(undefined, /SSH_AUTH_SOCK/);
    await rejects('/nowhere', /ENOENT/);
    await rejects(await ssh.agent(t, [rsa]), /no Ed25519 key/);
    for (const [name, answer] of Object.entries({
      refuses: [0, 0, 0, 1, 5],
      lies: [0, 0, 0, 5, 12, 0, 0, 0, 9],
      floods: [255, 255, 255, 255, 12],
      promises: [0, 0, 0, 5, 12, 255, 255, 255, 255],
    })) {
      const server = createServer((socket) => {
        socket.on('error', () => undefined);
        socket.end(Buffer.from(answer));
      });
      const path = join(ssh.directory, name);
      await new Promise<void>((resolve) => server.listen(path, resolve));
      await rejects(path, new RegExp(path));
      server.close();
    }
  });

  t.test('a signature for anything else is refused, and says why', async (t) => {
    t.match(reasonOf(ssh.sign(key, message, 'git')), /made for "git"/);
    t.match(reasonOf(ssh.sign(key, message, 'file')), /made for "file"/);
    t.match(reasonOf(ssh.sign(rsa, message, loginNamespace)), /ssh-ed25519/);
    const good = ssh.sign(key, message, loginNamespace);
    t.match(reasonOf(good, message.replace('alice', 'admin')), /does not fit/);
    t.match(reasonOf(good.replace('SSH SIGNATURE', 'PGP SIGNATURE')), /ssh-keygen -Y sign/);
    t.match(reasonOf(`${good}${'x'.repeat(5000)}`), /too long/);
    t.equal(reasonOf(good.replaceAll('\n', '\r\n')), 'good', 'line ends of Windows change nothing');
  });

  t.test('no changed or cut signature passes, and none breaks the verifier', (t) => {
    const good = ssh.sign(key, message, loginNamespace);
    const lines = good.trim().split('\n');
    const bytes = Buffer.from(lines.slice(1, -1).join(''), 'base64');
    const armor = (body: Buffer) => [lines[0], body.toString('base64'), lines.at(-1)].join('\n');
    t.equal(reasonOf(armor(bytes)), 'good');
    const at = fc.nat({ max: bytes.length - 1 });
    fc.assert(
      fc.property(at, fc.integer({ min: 1, max: 255 }), (where, flip) => {
        const changed = Buffer.from(bytes);
        changed[where] = (changed[where] ?? 0) ^ flip;
        return reasonOf(armor(changed)) !== 'good';
      }),
    );
    fc.assert(fc.property(at, (end) => reasonOf(armor(bytes.subarray(0, end))) !== 'good'));
    const more = fc.uint8Array({ minLength: 1, maxLength: 9 });
    fc.assert(
      fc.property(more, (tail) => reasonOf(armor(Buffer.concat([bytes, tail]))) !== 'good'),
    );
    t.end();
  });

  t.test('vigocli signs only a login of its own account at its own server', async (t) => {
    const { authority } = await testAuthority();
    const mine = (fields: object) =>
      challengeText({
        server: 'vigo.example.com',
        authority: authority.fingerprint,
        account: 'alice',
        nonce: 'n'.repeat(43),
        expiresAtMs: 1,
        ...fields,
      });
    const codeOf = (text: string) => {
      try {
        checkChallenge(text, 'alice', authority.certificatePem);
      } catch (error) {
        return (error as AdminError).code;
      }
      return 'none';
    };
    t.equal(codeOf(mine({})), 'none');
    t.equal(codeOf(mine({ account: 'admin' })), 'CLI_WRONG_CHALLENGE');
    t.equal(codeOf(mine({ authority: 'cd'.repeat(32) })), 'CLI_WRONG_CHALLENGE', 'a relayed one');
    for (const text of ['', 'commit 1\n', `${mine({})}more: 1\n`, `x${mine({})}`]) {
      t.equal(codeOf(text), 'CLI_WRONG_CHALLENGE', JSON.stringify(text));
    }
  });

  t.test('a key file that cannot sign says so in the words of OpenSSH', async (t) => {
    const rejects = (file: string, words: RegExp) =>
      t.rejects(signWithKeyFile(message, file), { code: 'CLI_SSH_KEY', message: words });
    await rejects('/nowhere/id', /No such file/);
    chmodSync(other, 0o644);
    await rejects(other, /other/);
    t.ok(locked, 'a passphrase is asked for on the terminal of the person');
  });

  t.test('keys are read as people have them, and nothing else is', (t) => {
    const line = ssh.publicLine(key);
    t.match(parseLoginKey(`  ${line}\n`), { comment: 'alice@test' });
    const raw = publicKey.toString('base64');
    for (const text of [raw, publicKey.toString('hex'), raw.replace('=', '')]) {
      t.same(Buffer.from(parseLoginKey(text).publicKey), publicKey, text);
    }
    const refused = [
      '',
      'ssh-ed25519',
      ssh.publicLine(rsa),
      'sk-ssh-ed25519@openssh.com AAAA x',
      `ssh-ed25519 ${publicKey.toString('base64')}`,
      `${line}\n${line}`,
      `command="x" ${line}`,
      '-----BEGIN OPENSSH PRIVATE KEY-----',
      'a'.repeat(5000),
      Buffer.alloc(31, 1).toString('base64'),
      Buffer.alloc(32).toString('hex'),
    ];
    for (const text of refused)
      t.throws(() => parseLoginKey(text), KeyTextError, text.slice(0, 30));
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          parseLoginKey(text);
        } catch (error) {
          return error instanceof KeyTextError;
        }
        return true;
      }),
    );
    t.end();
  });

  t.test('a key for which anybody can sign is no key', (t) => {
    const weak = ['00'.repeat(32), `01${'00'.repeat(31)}`, `ec${'ff'.repeat(30)}ff`];
    for (const text of weak) {
      const bytes = Buffer.from(text, 'hex');
      t.ok(isWeak(bytes));
      t.notOk(verifyEd25519(bytes, Buffer.from('x'), Buffer.concat([bytes, Buffer.alloc(32)])));
    }
    const { publicKey: strong, privateKey } = generateKeyPairSync('ed25519');
    const raw = strong.export({ format: 'der', type: 'spki' }).subarray(-32);
    const signature = sign(null, Buffer.from('x'), privateKey);
    t.ok(verifyEd25519(raw, Buffer.from('x'), signature));
    t.notOk(verifyEd25519(raw, Buffer.from('y'), signature));
    t.end();
  });
});

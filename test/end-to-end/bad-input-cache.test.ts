import { readFileSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { encodeChecked } from '../../agent/offline/checked-file.ts';
import { SignedBundle } from '../../agent/protocol/gen/vigo/v1/bundle.ts';
import { TestAgent } from './support/agent-process.ts';
import { eventually } from './support/database.ts';
import { bundleFile, incidents, motd, twoVersions } from './support/two-versions.ts';

t.setTimeout(180_000);

t.test('a cache that somebody wrote is refused, audited and fetched anew', async (t) => {
  const { server, agent, first, second } = await twoVersions(t);
  const other = new TestAgent(t, 'web-2');
  await other.enroll(server);
  t.equal((await other.vigo('run')).code, 0);
  const document = Buffer.from(Buffer.from(second.document).toString().replace('new', 'bad'));
  const whole = (bundle: SignedBundle) => encodeChecked(SignedBundle.encode(bundle).finish());
  const flipped = readFileSync(bundleFile(agent));
  flipped[flipped.length >> 1]! ^= 1;
  writeFileSync(bundleFile(agent), flipped);
  t.match((await agent.status()).policyProblem, 'AGENT_CACHE_ALTERED', 'status says so');
  const caches: [string, Uint8Array][] = [
    ['a bit changed', flipped],
    ['cut short', flipped.subarray(0, 40)],
    ['the document changed, the checksum right', whole({ ...second, document })],
    ['an older version, as it was signed', whole(first)],
    ['of another envoy, as it was signed', readFileSync(bundleFile(other))],
  ];
  for (const [what, bytes] of caches) {
    writeFileSync(bundleFile(agent), bytes);
    writeFileSync(agent.at(motd), 'drift\n');
    const alone = await agent.vigo('run', '--offline');
    t.equal(alone.code, 4, `${what}: without a server nothing is enforced`);
    t.equal(agent.read(motd), 'drift\n');
    t.match(alone.stderr, 'AGENT_CACHE_ALTERED');
    t.equal((await agent.vigo('run')).code, 0);
    t.equal(agent.read(motd), 'new\n', 'with a server it is whole again');
  }
  const told = () => incidents(server).includes('AGENT_CACHE_ALTERED');
  t.ok(await eventually(told), 'and the server has it in its audit log');
});

/**
 * `npm run build:agent -- --to DIRECTORY`: the agent as one program without a runtime to install.
 * Options: `--platform linux-x64|linux-arm64` (this machine's), `--xz` (also the smaller form),
 * `--runtime FILE` (the Node of that platform). A server serves what lies in `<home>/agents`.
 */
import { parseArgs } from 'node:util';
import { type AgentPlatform, agentPlatforms, buildAgent } from './agent-artefact.ts';

const { values } = parseArgs({
  options: {
    to: { type: 'string' },
    platform: { type: 'string', default: `${process.platform}-${process.arch}` },
    runtime: { type: 'string' },
    xz: { type: 'boolean', default: false },
  },
});
const platform = agentPlatforms.find((known) => known === values.platform);
if (values.to === undefined || platform === undefined) {
  console.error(`usage: npm run build:agent -- --to DIRECTORY [--xz] [--runtime FILE]`);
  console.error(`       [--platform ${agentPlatforms.join('|')}]`);
  process.exit(64);
}
const started = performance.now();
const { to: directory, runtime, xz } = values;
const chosen: AgentPlatform = platform;
const manifest = await buildAgent({
  directory,
  platform: chosen,
  xz,
  ...(runtime === undefined ? {} : { runtime }),
});
const seconds = ((performance.now() - started) / 1000).toFixed(1);
const { version, bytes, sha256 } = manifest;
console.log(`vigo ${version} for ${chosen}: ${(bytes / 1e6).toFixed(1)} MB, ${seconds} s`);
console.log(`sha256 ${sha256}`);
console.log(`${directory}/vigo-${version}-${chosen}.{gz${xz ? ',xz' : ''},json}`);

import { writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { SignedRelease } from '../../../../agent/protocol/gen/vigo/v1/release.ts';
import { releaseProblem, signRelease } from '../../../../agent/protocol/release.ts';
import { AdminError } from '../../../errors.ts';
import { examples } from '../../examples.ts';
import type { OpenSession } from '../../session.ts';
import { keySigner, measure, pack } from './artefact.ts';
import { type ReleaseFlags, releaseFlags } from './flags.ts';

/** `sign` and `key`: what runs where the release key is, without a server. */
export function addSignCommands(releases: Command, open: OpenSession): void {
  const signing = releases
    .command('sign <file>')
    .description('sign a program with a release key that the server does not hold')
    .requiredOption('--key <file>', 'Ed25519 private key, PEM')
    .option('--output <dir>', 'where the two files go', '.');
  releaseFlags(signing).action(
    async (file: string, options: ReleaseFlags & { key: string; output: string }) => {
      const it = await open();
      const { release: version, platform } = options;
      const signer = keySigner(options.key);
      const base = `${options.output}/vigo-${version}-${platform}`;
      await pack(file, `${base}.gz`);
      const download = await measure(`${base}.gz`, false);
      const program = await measure(`${base}.gz`, true);
      const manifest = {
        version,
        platform,
        size: program.size,
        sha256: program.sha256,
        downloadSize: download.size,
        downloadSha256: download.sha256,
        minimumAgent: options.minimumAgent ?? '',
        downgradeFrom: options.downgradeFrom,
        createdAtMs: Date.now(),
        releaseKeys: options.releaseKey.map((hex) => Buffer.from(hex, 'hex')),
      };
      const problem = releaseProblem(manifest);
      if (problem !== undefined) throw new AdminError('CLI_USAGE', problem);
      const signature = Buffer.from(signRelease(manifest, signer));
      writeFileSync(`${base}.release`, SignedRelease.encode({ manifest, signature }).finish());
      const written = { artefact: `${base}.gz`, manifest: `${base}.release` };
      it.print(
        written,
        () =>
          `Signed. Next: vigocli releases add ${written.artefact} --release ${version} ` +
          `--platform ${platform} --manifest ${written.manifest}`,
      );
    },
  );
  examples(signing, [
    'vigocli releases sign vigo --release 0.2.0 --platform linux-x64 --key release.pem',
  ]);

  releases
    .command('key <file>')
    .description('print the public half of a release key, for releases.public_keys of server.yaml')
    .action(async (file: string) => {
      const it = await open();
      const publicKey = Buffer.from(keySigner(file).publicKey).toString('hex');
      it.print({ publicKey }, () => publicKey);
    });
}

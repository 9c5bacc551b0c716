import type { ProgramParts } from './commands/context.ts';
import { splitServer } from './commands/settings.ts';
import { createEngine } from './converge/engine.ts';
import { createSnapshots } from './converge/snapshots.ts';
import { resourceTypes } from './executors/registry.ts';
import { programDirectory } from './install/layout.ts';
import { nodeVerifier } from './platform/crypto.ts';
import { GrpcChannel } from './platform/grpc-channel.ts';
import { askRunning, lockInstance } from './platform/instance-lock.ts';
import { NodeClock, NodeHost } from './platform/node-host.ts';
import { nodeIdentityCrypto } from './platform/node-identity-crypto.ts';
import { createNodePlatform } from './platform/node-platform.ts';
import { NodeProgramFiles } from './platform/node-program-files.ts';
import { NodeStateFiles } from './platform/node-state-files.ts';
import { guardLayout } from './policy/guardrails.ts';
import { createSecretPlaces } from './secrets/secret-places.ts';
import { createTraitCollection } from './traits/collect.ts';

/** The program as it runs on Node. */
export const nodeParts: ProgramParts = {
  clock: new NodeClock(),
  host: new NodeHost(),
  openFiles: (directory) => new NodeStateFiles(directory),
  identityCrypto: nodeIdentityCrypto,
  verifier: nodeVerifier,
  openPinned: (server, pin) => {
    const { host, port } = splitServer(server);
    return new GrpcChannel(host, port, { kind: 'pinned', pin });
  },
  openMutual: (server, identity) => {
    const { host, port } = splitServer(server);
    return new GrpcChannel(host, port, {
      kind: 'mutual',
      authority: identity.authorityPem,
      certificate: identity.certificatePem,
      key: identity.keyPem,
    });
  },
  platform: ({ root }) => createNodePlatform({ root }),
  engine: ({ configDirectory, stateDirectory, server }, platform) =>
    createEngine({
      platform,
      registry: resourceTypes,
      snapshots: createSnapshots({ platform, directory: `${stateDirectory}/snapshots` }),
      secretPlaces: createSecretPlaces(new NodeStateFiles(stateDirectory)),
      layout: guardLayout(
        [configDirectory, stateDirectory],
        server === undefined ? undefined : splitServer(server),
      ),
    }),
  openTraits: (platform, facts) => createTraitCollection(platform, { facts: () => facts }),
  programs: ({ root }) =>
    new NodeProgramFiles(root === '/' ? programDirectory : `${root}${programDirectory}`),
  lock: lockInstance,
  askRunning,
};

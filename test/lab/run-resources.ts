import { createInterface } from 'node:readline';
import { createEngine } from '../../agent/converge/engine.ts';
import type { AnyResourceType } from '../../agent/executors/contract.ts';
import { groupType, userType } from '../../agent/executors/unix/accounts.ts';
import { cronType } from '../../agent/executors/unix/cron.ts';
import { packageType } from '../../agent/executors/unix/package.ts';
import { serviceType } from '../../agent/executors/unix/service.ts';
import { createNodePlatform } from '../../agent/platform/node-platform.ts';
import { type BundleDocument, bundleFormatVersion } from '../../agent/protocol/bundle.ts';
import type { LabRequest } from './resources.ts';

/**
 * Runs inside a lab host as an agent does, for many passes: each line of standard input holds the
 * resources of one pass, each line of standard output its result.
 */
const types: readonly AnyResourceType[] = [packageType, serviceType, userType, groupType, cronType];
const engine = createEngine({
  platform: createNodePlatform(),
  registry: new Map(types.map((type) => [type.name, type])),
});
for await (const line of createInterface({ input: process.stdin })) {
  const request: LabRequest = JSON.parse(line);
  const result = await engine.pass({
    dryRun: request.dryRun,
    traits: {},
    document: documentOf(request),
  });
  process.stdout.write(`${JSON.stringify(result)}\n`);
}

function documentOf(request: LabRequest): BundleDocument {
  return {
    format: bundleFormatVersion,
    templates: {},
    modules: [
      {
        name: 'lab',
        vars: {},
        dependsOn: [],
        resources: request.resources.map((resource, index) => ({
          name: resource.name ?? `r${index}`,
          type: resource.type,
          ...(resource.when === undefined ? {} : { when: resource.when }),
          dependsOn: [],
          before: [],
          notify: resource.notify ?? [],
          subscribes: [],
          parameters: resource.parameters,
        })),
      },
    ],
  };
}

import { createInterface } from 'node:readline';
import { createEngine } from '../../agent/converge/engine.ts';
import { resourceTypes } from '../../agent/executors/registry.ts';
import { createNodePlatform } from '../../agent/platform/node-platform.ts';
import { type BundleDocument, bundleFormatVersion } from '../../agent/protocol/bundle.ts';
import { createTraitCollection } from '../../agent/traits/collect.ts';
import type { LabRequest } from './resources.ts';

/**
 * Runs inside a lab host as an agent does, for many passes: each line of standard input holds the
 * resources of one pass, each line of standard output its result.
 */
const platform = createNodePlatform();
const engine = createEngine({ platform, registry: resourceTypes });
const collection = createTraitCollection(platform);
for await (const line of createInterface({ input: process.stdin })) {
  const request: LabRequest = JSON.parse(line);
  const result = await engine.pass({
    dryRun: request.dryRun,
    traits: (await collection.collect()).traits,
    document: documentOf(request),
  });
  process.stdout.write(`${JSON.stringify(result)}\n`);
}

function documentOf(request: LabRequest): BundleDocument {
  return {
    format: bundleFormatVersion,
    templates: request.templates ?? {},
    modules: [
      {
        name: 'lab',
        vars: request.vars ?? {},
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

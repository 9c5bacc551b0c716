import { Diagnostics } from '../../actors/publish/stack/diagnostics.ts';
import { compileStack } from '../../actors/publish/stack/stack.ts';
import type { LabResource } from './resources.ts';

/** The resources of one module as publish makes them of its text; throws when it would refuse it. */
export async function stackResources(module: string): Promise<LabResource[]> {
  const name = /^name: (\S+)/.exec(module)?.[1];
  const files = new Map([
    [`modules/${name}.vgo`, module],
    ['site.vgo', `match: "*"\nmodules: ${name}\n`],
  ]);
  const { result, documents } = await compileStack(files, new Diagnostics());
  if (result.diagnostics.length > 0) throw new Error(JSON.stringify(result.diagnostics));
  return documents.flatMap(({ modules }) => modules.flatMap(({ resources }) => resources));
}

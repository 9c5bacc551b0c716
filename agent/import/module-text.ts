import type { ImportedModule } from './import.ts';
import { yamlComment, yamlEntry } from './yaml-text.ts';

/** The module as a policy file (.vgo, YAML 1.2), with what was left out as comments at its end. */
export function moduleText(module: ImportedModule, hostname: string): string {
  const count = module.resources.length;
  const head =
    yamlComment(`Written by vigo import on ${hostname}; its first plan there is empty.`, '') +
    yamlEntry('name', module.name, '');
  const body =
    count === 0 ? 'resources: []\n' : `resources:\n${module.resources.map(resourceText).join('')}`;
  const tail =
    module.leftOut.length === 0
      ? ''
      : `\n${module.leftOut.map(({ what, reason }) => yamlComment(`left out: ${what}: ${reason}`, '')).join('')}`;
  return head + body + tail;
}

function resourceText({
  name,
  type,
  parameters,
  note,
}: ImportedModule['resources'][number]): string {
  const comment = note === undefined ? '' : yamlComment(note, '  ');
  const lines = [
    yamlEntry('name', name, '    '),
    yamlEntry('type', type, '    '),
    ...Object.entries(parameters).map(([key, value]) => yamlEntry(key, value, '    ')),
  ].join('');
  return comment + lines.replace(/^ {4}/, '  - ');
}

import { isAbsent, presence, type ResourceSchema, text } from './schema.ts';

export const kernelModuleSchema = {
  name: 'kernel_module',
  summary: 'Keeps a kernel module loaded, now and after the next boot, or not loaded.',
  notes: [
    'Changed parameters hold from the next load on; a loaded module is not loaded anew. absent does not keep others from loading the module.',
  ],
  category: 'system',
  platforms: ['linux'],
  parameters: [
    {
      name: 'module',
      kind: 'string',
      required: true,
      pattern: '^[A-Za-z0-9_][A-Za-z0-9_-]{0,63}$',
      patternMeaning: 'the name of a module',
      description: 'Name of the module.',
    },
    presence,
    {
      name: 'persist',
      kind: 'boolean',
      default: true,
      description: 'Also load it at boot, by /etc/modules-load.d/vigo-<module>.conf.',
    },
    {
      name: 'params',
      kind: 'string',
      format: 'one-line',
      description: 'Its parameters, in /etc/modprobe.d/vigo-<module>.conf.',
      examples: ['numdummies=2'],
    },
  ],
  examples: [
    {
      title: 'Bridged traffic through the firewall',
      resources: [{ name: 'netfilter', type: 'kernel_module', module: 'br_netfilter' }],
    },
  ],
  targets: (parameters) => {
    const module = text(parameters, 'module');
    if (module === undefined) return [];
    return ['/etc/modules-load.d', '/etc/modprobe.d'].map((directory) => ({
      kind: 'path',
      value: `${directory}/vigo-${module}.conf`,
      effect: isAbsent(parameters) ? 'remove' : 'write',
    }));
  },
} as const satisfies ResourceSchema;

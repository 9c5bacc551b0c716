import { presence, type ResourceSchema, text } from './schema.ts';
import { labelledPlace } from './selinux-path.ts';

export const selinuxSchema = {
  name: 'selinux',
  summary: 'Keeps one thing of SELinux: its mode, a boolean, the label of files, or of a port.',
  notes: [
    'A resource names one of mode, boolean, path and port. Guard it with `when: traits.selinux.enabled == true` where some nodes have no SELinux: all but mode fail there.',
    'mode is set in /etc/selinux/config and at once where the kernel can; from and to disabled takes a reboot, and the resource says so.',
    'path with selinux_type is a rule of the local policy (semanage fcontext) that also holds after a relabelling; the files are relabelled when the rule changes, and when the path itself bears another type. path with context sets the label of that one file only.',
    'absent gives back what the policy says: of a boolean, a path or a port it removes the local rule.',
    'semanage needs the package policycoreutils-python-utils, and seconds for a change; looking costs a few files, and for a path one short process.',
  ],
  category: 'system',
  platforms: ['linux'],
  parameters: [
    {
      name: 'mode',
      kind: 'enum',
      values: ['enforcing', 'permissive', 'disabled'],
      valueNotes: {
        enforcing: 'what the policy does not allow is refused',
        permissive: 'it is only logged',
        disabled: 'off from the next boot on; permissive until then',
      },
      description: 'Mode of the whole machine, now and after the next boot.',
    },
    {
      name: 'boolean',
      kind: 'string',
      pattern: '^[A-Za-z0-9_][A-Za-z0-9_-]{0,99}$',
      patternMeaning: 'the name of an SELinux boolean',
      description: 'Name of a boolean of the policy.',
      examples: ['httpd_can_network_connect'],
    },
    { name: 'value', kind: 'boolean', default: true, description: 'What the boolean is to be.' },
    {
      name: 'persist',
      kind: 'boolean',
      default: true,
      description: 'Keep the boolean over a reboot.',
    },
    {
      name: 'path',
      kind: 'string',
      pattern: '^/[^\\s\\u0000-\\u001f\\u007f]*$',
      patternMeaning: 'an absolute path without white space, or an expression that begins so',
      description:
        'Files to label: an absolute path, or an expression of semanage that begins with a directory.',
      examples: ['/srv/www(/.*)?', '/opt/app/bin/server'],
    },
    {
      name: 'file_type',
      kind: 'enum',
      values: ['any', 'file', 'directory', 'link', 'socket', 'pipe', 'block', 'character'],
      default: 'any',
      description: 'Which kind of file the rule of a path holds for.',
    },
    {
      name: 'context',
      kind: 'string',
      pattern: '^[A-Za-z0-9_]+:[A-Za-z0-9_]+:[A-Za-z0-9_]+(?::[a-z0-9:.,-]+)?$',
      patternMeaning: 'user:role:type or user:role:type:range',
      description: 'The whole label of one file, set with chcon.',
      examples: ['system_u:object_r:httpd_sys_content_t:s0'],
    },
    {
      name: 'selinux_type',
      kind: 'string',
      pattern: '^[A-Za-z0-9_]{1,100}$',
      patternMeaning: 'an SELinux type such as httpd_sys_content_t',
      description: 'Type that the rule of a path or a port gives.',
    },
    {
      name: 'port',
      kind: 'string',
      format: 'port-or-range',
      description: 'Port, or range of ports.',
      examples: ['8081', '9000-9010'],
    },
    {
      name: 'proto',
      kind: 'enum',
      values: ['tcp', 'udp', 'dccp', 'sctp'],
      default: 'tcp',
      description: 'Protocol of the port.',
    },
    presence,
  ],
  oneOf: [['mode', 'boolean', 'path', 'port']],
  exclusive: [
    ['mode', 'boolean', 'path', 'port'],
    ['context', 'selinux_type'],
    ['context', 'port'],
  ],
  examples: [
    {
      title: 'A web server behind SELinux',
      resources: [
        { name: 'mode', type: 'selinux', mode: 'enforcing' },
        {
          name: 'backends',
          type: 'selinux',
          boolean: 'httpd_can_network_connect',
          when: 'traits.selinux.enabled == true',
        },
        {
          name: 'content',
          type: 'selinux',
          path: '/srv/www(/.*)?',
          selinux_type: 'httpd_sys_content_t',
          when: 'traits.selinux.enabled == true',
        },
        {
          name: 'port',
          type: 'selinux',
          port: 8081,
          selinux_type: 'http_port_t',
          when: 'traits.selinux.enabled == true',
        },
      ],
    },
  ],
  targets: (parameters) => {
    const path = text(parameters, 'path');
    const stem = path === undefined ? undefined : labelledPlace(path)?.stem;
    return [
      ...(stem === undefined ? [] : [{ kind: 'path', value: stem, effect: 'write' } as const]),
      ...(text(parameters, 'mode') === undefined
        ? []
        : [{ kind: 'path', value: '/etc/selinux/config', effect: 'write' } as const]),
    ];
  },
} as const satisfies ResourceSchema;

/** What a diagnostic code means; docs/diagnostics.md is made from this table. */
export interface DiagnosticMeaning {
  /** What was found. */
  readonly meaning: string;
  /** The smallest policy text, or situation, that causes it. */
  readonly example: string;
  readonly remedy: string;
}

const filesAndText = {
  PUBLISH_UNREADABLE: {
    meaning: 'A file or directory of the stack cannot be read, or there is no policy at all.',
    example: 'an empty directory; a file without read permission; a named pipe',
    remedy: 'Check the path, the permissions and that it is a plain file.',
  },
  PUBLISH_LINK: {
    meaning: 'A symbolic link leads nowhere, in a circle, or out of the stack.',
    example: 'templates/shadow -> /etc/shadow',
    remedy: 'Copy the file into the stack; links may only lead to other files of the stack.',
  },
  PUBLISH_CHANGING: {
    meaning: 'The stack was edited again and again while it was read.',
    example: 'a program that rewrites modules/a.vgo all the time',
    remedy: 'Wait until the edit is finished, then try again.',
  },
  PUBLISH_ENCODING: {
    meaning: 'The file is not UTF-8 text, or has characters that no text file has.',
    example: 'a file saved as UTF-16 or Latin-1; a NUL byte',
    remedy: 'Save the file as UTF-8 without control characters.',
  },
  PUBLISH_LIMIT: {
    meaning: 'A limit of size, number or depth is passed; the message names it.',
    example: 'a file of 50 MB; lists nested 33 deep; aliases that multiply',
    remedy: 'Split what is too large. The limits keep one stack from stopping the server.',
  },
  PUBLISH_YAML_SYNTAX: {
    meaning: 'The file is not YAML.',
    example: 'resources: [',
    remedy: 'Correct the syntax at the place shown; the cause is often one line above.',
  },
  PUBLISH_DUPLICATE_KEY: {
    meaning: 'A map has the same key twice; YAML would silently keep one of them.',
    example: 'name: a\nname: b',
    remedy: 'Keep one of the two.',
  },
  PUBLISH_BAD_NAME: {
    meaning: 'A name is empty, too long, or has characters that cannot be seen or mislead.',
    example: 'name: "web\\u202egro"',
    remedy: 'Use letters, digits, spaces, dots, dashes and underscores.',
  },
  PUBLISH_DUPLICATE_NAME: {
    meaning: 'Two modules, roles, environments or resources of one module have the same name.',
    example: 'two files under modules/ with name: nginx',
    remedy: 'Rename one, or put both together.',
  },
} as const satisfies Record<string, DiagnosticMeaning>;

const shape = {
  PUBLISH_WRONG_SHAPE: {
    meaning: 'A list stands where a map is needed, or the like.',
    example: 'vars: [a, b]',
    remedy: 'Give the shape that the message names.',
  },
  PUBLISH_UNKNOWN_KEY: {
    meaning: 'The file has a key that this kind of file does not know.',
    example: 'resurces: []',
    remedy: 'Use the suggested key, or remove it.',
  },
  PUBLISH_MISSING_KEY: {
    meaning: 'A key that is needed is not there.',
    example: 'envoys: [{modules: nginx}]',
    remedy: 'Add the key that the message names.',
  },
  PUBLISH_UNKNOWN_TYPE: {
    meaning: 'There is no such resource type.',
    example: 'type: fiel',
    remedy: 'Use the suggested type; docs/reference lists all of them.',
  },
  PUBLISH_UNKNOWN_PARAMETER: {
    meaning: 'The resource type has no such parameter.',
    example: '{type: file, target_pth: /etc/motd}',
    remedy: 'Use the suggested parameter, or remove it.',
  },
  PUBLISH_MISSING_PARAMETER: {
    meaning: 'A parameter that the resource type needs is not there.',
    example: '{type: file, content: hello}',
    remedy: 'Add the parameter that the message names.',
  },
  PUBLISH_EXCLUSIVE_PARAMETERS: {
    meaning: 'Parameters that exclude each other are given together.',
    example: '{type: file, target_path: /x, content: a, source: templates/x}',
    remedy: 'Keep one of them.',
  },
  PUBLISH_BAD_VALUE: {
    meaning: 'A value cannot be what it is given for.',
    example: 'mode: "0999"',
    remedy: 'Give a value of the kind that the message names.',
  },
} as const satisfies Record<string, DiagnosticMeaning>;

const meaning = {
  PUBLISH_UNKNOWN_REFERENCE: {
    meaning: 'A module, role, resource or template file that is referred to does not exist.',
    example: 'roles: [web] without a role of that name',
    remedy: 'Use the suggested name, or add what is missing.',
  },
  PUBLISH_UNKNOWN_ENVIRONMENT: {
    meaning:
      'An environment is named that nothing gives, and a very similar one exists. A warning.',
    example: 'environment: prodution',
    remedy: 'Use the suggested name.',
  },
  PUBLISH_CYCLE: {
    meaning: 'Modules or resources wait for each other, so that none could ever begin.',
    example: 'a depends_on b, b depends_on a',
    remedy: 'Remove one step of the path shown.',
  },
  PUBLISH_CONTRADICTION: {
    meaning:
      'Two resources of one envoy want different things of the same file, service, package or user.',
    example: '{type: package, package: nano} in one module, state: absent in another',
    remedy:
      'Keep one of the two, make both equal, or give them conditions that exclude each other.',
  },
  PUBLISH_CONTRADICTORY_OVERRIDE: {
    meaning:
      'One place gives and takes the same module, or two places give different values that have the same rank.',
    example: 'modules: [nginx] and exclude_modules: [nginx] in one entry',
    remedy: 'Keep one of the two.',
  },
  PUBLISH_NO_TRIGGER: {
    meaning: 'A resource would act on every pass, because nothing makes it wait for a change.',
    example: '{type: service, service: nginx, state: restarted}',
    remedy: 'Give it when: "changed" and notify it, or give it subscribes.',
  },
  PUBLISH_NO_GUARD: {
    meaning: 'A command or a reboot would run on every pass.',
    example: '{type: exec, command: make install}',
    remedy: 'Give it one of the guards that the message names, or when.',
  },
  PUBLISH_CONDITION: {
    meaning: 'A condition is wrong: syntax, unknown function, number or kind of arguments.',
    example: `when: "distr('debian')"`,
    remedy: 'Correct it at the place shown; docs/policy.md lists the functions.',
  },
  PUBLISH_TEMPLATE: {
    meaning: 'A template is wrong, or it cannot be rendered.',
    example: 'content: "{{ if .Vars.x }}"',
    remedy: 'Correct it at the place shown.',
  },
  PUBLISH_MISSING_VARIABLE: {
    meaning: 'A template or foreach reads a variable that the envoy does not get.',
    example: 'content: "{{ .Vars.prot }}"',
    remedy: 'Use the suggested name, or give the variable a value in the module.',
  },
  PUBLISH_GUARDRAIL: {
    meaning: 'A resource would touch what Vigo itself consists of. This cannot be switched off.',
    example: '{type: file, target_path: /etc/vigo/x}',
    remedy: 'Manage something else; Vigo keeps itself.',
  },
  PUBLISH_SECRET: {
    meaning: 'A secret does not exist, cannot be looked up, or stands where its value cannot go.',
    example: 'content: "password=secret:db/pasword"',
    remedy: 'Set the secret with vigocli secrets set, or correct the path.',
  },
  PUBLISH_DEAD_URL: {
    meaning: 'A URL does not answer, so that nodes could not fetch it either.',
    example: 'url: https://example.com/moved.tar.gz (404)',
    remedy: 'Correct the URL. Where the server has no way out, validate with --offline.',
  },
  PUBLISH_UNREACHABLE_ENTRY: {
    meaning: 'An earlier entry takes every host of this pattern: the first match wins. A warning.',
    example: 'match: "*" before match: "web-*"',
    remedy: 'Put the special entry before the general one: files are tried by path.',
  },
} as const satisfies Record<string, DiagnosticMeaning>;

/** Every code that validation can give, with what to do. */
export const diagnosticCodes = { ...filesAndText, ...shape, ...meaning };

export type DiagnosticCode = keyof typeof diagnosticCodes;

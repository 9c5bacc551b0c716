const filesPerModule = 10;

function fileModule(name: string): string {
  const resources = Array.from({ length: filesPerModule }, (_, at) =>
    [
      `  - name: file-${at}`,
      '    type: file',
      `    target_path: /etc/vigobench/${name}-${at}.conf`,
      '    mode: "0644"',
      '    content: |',
      `      # ${name} ${at}`,
      '      worker_connections {{ .Vars.worker_connections }};',
    ].join('\n'),
  );
  return `name: ${name}\nvars:\n  worker_connections: "1024"\nresources:\n${resources.join('\n')}\n`;
}

/** A policy of ordinary size: three modules with thirty files. Path below stacks/ -> text. */
export const sampleStack: Readonly<Record<string, string>> = {
  'modules/bench-a.vgo': fileModule('bench-a'),
  'modules/bench-b.vgo': fileModule('bench-b'),
  'modules/bench-c.vgo': fileModule('bench-c'),
  'roles.vgo': 'roles:\n  - name: bench\n    modules: [bench-a, bench-b, bench-c]\n',
  'fleet.vgo': 'envoys:\n  - match: "bench-*"\n    environment: bench\n    roles: [bench]\n',
};

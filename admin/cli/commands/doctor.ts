import { styleText } from 'node:util';
import type { Command } from 'commander';
import type { Finding } from '../../../actors/doctor/view.ts';
import type { Diagnosis } from '../doctor/examine.ts';
import { examples } from '../examples.ts';
import type { OpenSession } from '../session.ts';
import type { Column } from '../table.ts';
import { printable } from '../terminal-text.ts';
import { plural } from '../words.ts';

const columns: readonly Column<Finding>[] = [
  { title: 'SEVERITY', value: ({ severity }) => severity },
  { title: 'CHECK', value: ({ check }) => check },
  { title: 'FINDING', value: ({ finding }) => finding },
  { title: 'WHY', value: ({ why }) => why },
  { title: 'DO', value: ({ remedy }) => remedy },
];

export function addDoctorCommand(program: Command, open: OpenSession): void {
  const doctor = program
    .command('doctor')
    .description('look for what is wrong, from this machine to the server and its fleet')
    .option('--strict', 'end with 1 for warnings, too')
    .action(async ({ strict }: { strict?: boolean }) => {
      const it = await open();
      const { examine } = await import('../doctor/examine.ts');
      const diagnosis = await examine(it, Date.now());
      const { exitCode, ...shown } = diagnosis;
      if (it.options.plain) it.list({ items: diagnosis.findings }, columns, '');
      else it.print(shown, () => describe(diagnosis, it.width));
      const isStrict = strict === true && diagnosis.findings.length > 0;
      process.exitCode = exitCode === 0 && isStrict ? 1 : exitCode;
    });
  examples(doctor, [
    'vigocli doctor',
    'vigocli doctor --json',
    'vigocli --server vigo.example.com:8443 doctor --strict --quiet',
  ]);
}

function describe({ server, findings, checked }: Diagnosis, width: number): string {
  const count = (severity: Finding['severity']) =>
    findings.filter((finding) => finding.severity === severity).length;
  const sum =
    findings.length === 0
      ? styleText('green', 'nothing is wrong')
      : `${plural(count('problem'), 'problem')}, ${plural(count('warning'), 'warning')}`;
  const head = `${printable(server)}: ${plural(checked.length, 'check')}, ${sum}.`;
  return [head, ...findings.map((finding) => `\n${describeFinding(finding, width)}`)].join('\n');
}

function describeFinding(
  { check, severity, finding, why, remedy }: Finding,
  width: number,
): string {
  const colour = severity === 'problem' ? 'red' : 'yellow';
  const title = `${styleText(colour, severity)} ${printable(finding)} ${styleText('gray', `[${check}]`)}`;
  return [title, ...wrap('Why', why, width), ...wrap('Do', remedy, width)].join('\n');
}

const indent = '       ';

/** Words on lines that fit; only behind spaces, so that a command can be copied. */
function wrap(label: string, words: string, width: number): string[] {
  const lines: string[] = [];
  let line = `  ${`${label}:`.padEnd(indent.length - 2)}`;
  let isFirst = true;
  for (const word of printable(words).split(' ')) {
    if (!isFirst && line.length + 1 + word.length > width) {
      lines.push(line);
      line = indent + word;
    } else {
      line += isFirst ? word : ` ${word}`;
    }
    isFirst = false;
  }
  return [...lines, line];
}

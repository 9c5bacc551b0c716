/** Without this the pages that teach the language would teach what it does not do. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { AgentError } from '../../../agent/errors.ts';
import { templateFunctions } from '../../../agent/policy/template/functions.ts';
import { parseTemplate, type TemplateData } from '../../../agent/policy/template/template.ts';
import { whenBuiltins } from '../../../agent/policy/when/builtins.ts';
import type { WhenEnvironment } from '../../../agent/policy/when/environment.ts';
import { evaluateKnown, valueAt } from '../../../agent/policy/when/known.ts';
import { parseWhen } from '../../../agent/policy/when/when.ts';
import type { PolicyValue } from '../../../agent/protocol/bundle.ts';

type Values = Readonly<Record<string, PolicyValue>>;

interface Block {
  readonly language: string;
  readonly text: string;
}

function page(name: string): string {
  return readFileSync(new URL(`../../../docs/${name}`, import.meta.url), 'utf8');
}

function blocks(text: string): Block[] {
  return [...text.matchAll(/^```([^\n]*)\n([\s\S]*?)\n```$/gm)].map(([, language, inner]) => ({
    language: language!,
    text: inner!,
  }));
}

/** Each example with the block that follows it. */
function examples(all: readonly Block[], kind: string): [Block, Block][] {
  return all.flatMap((block, at) =>
    block.language.startsWith(kind) ? [[block, all[at + 1]!] as [Block, Block]] : [],
  );
}

function mistake(error: unknown): string {
  if (!(error instanceof AgentError)) throw error;
  const { line, column, offset, suggestion } = error.details;
  const place = line === undefined ? offset : `${line}:${column}`;
  return [error.code, place, suggestion].filter((part) => part !== undefined).join(' ');
}

t.test('every example of docs/templates.md comes out as the page says', async (t) => {
  const text = page('templates.md');
  const all = blocks(text);
  const data = JSON.parse(all[0]!.text) as TemplateData;
  const found = examples(all, 'template');
  t.ok(found.length >= 10);
  for (const [template, expected] of found) {
    try {
      t.equal(parseTemplate(template.text).render(data).trimEnd(), expected.text, template.text);
      t.equal(expected.language, 'output');
    } catch (error) {
      t.equal(mistake(error), expected.text, template.text);
      t.equal(expected.language, 'error');
    }
  }
  for (const name of templateFunctions.keys()) t.match(text, new RegExp(`\`${name}[\` ]`), name);
});

function environment({ traits, vars }: { traits: Values; vars: Values }): WhenEnvironment {
  return {
    trait: (path) => valueAt(traits, path),
    variable: (path) => valueAt(vars, path),
    triggered: false,
    localTime: () => ({ hour: 12, minute: 30, dayOfWeek: 1, dayOfMonth: 15 }),
    fileExists: async (path) => path === '/etc/passwd',
    directoryExists: async (path) => path === '/etc',
    processRunning: async (name) => name === 'sshd',
    commandSucceeds: async (command) => command === 'true',
  };
}

t.test('every example of docs/conditions.md is answered as the page says', async (t) => {
  const text = page('conditions.md');
  const all = blocks(text);
  const data = JSON.parse(all[0]!.text) as { traits: Values; vars: Values };
  const found = examples(all, 'condition');
  t.ok(found.length >= 10);
  for (const [condition, expected] of found) {
    try {
      const when = parseWhen(condition.text);
      const known = condition.language.endsWith('known');
      const answer = known
        ? ((await evaluateKnown(when.node, data)).value ?? 'unknown')
        : await when.evaluate(environment(data));
      t.equal(String(answer), expected.text, condition.text);
      t.equal(expected.language, 'answer');
    } catch (error) {
      t.equal(mistake(error), expected.text, condition.text);
      t.equal(expected.language, 'error');
    }
  }
  for (const name of whenBuiltins.keys()) t.match(text, new RegExp(`\\| \`${name}[\`(]`), name);
});

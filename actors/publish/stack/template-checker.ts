import { AgentError } from '../../../agent/errors.ts';
import { knownTraits } from '../../../agent/policy/known-traits.ts';
import { lineAndColumn } from '../../../agent/policy/template/position.ts';
import {
  isTemplate,
  parseTemplate,
  type Template,
  type TemplateData,
} from '../../../agent/policy/template/template.ts';
import { whenMistakes } from '../../../agent/policy/when/mistakes.ts';
import { parseWhen, type When } from '../../../agent/policy/when/when.ts';
import type { PolicyValue } from '../../../agent/protocol/bundle.ts';
import type { Diagnostics, Place } from './diagnostics.ts';
import { placeInText, type StackNode } from './node.ts';

/** Where a text stands: a value of a policy file, or a whole template file. */
export type TextOrigin = StackNode | { readonly kind: 'file'; readonly file: string };

interface ParsedTemplate {
  /** Undefined when the syntax is wrong. */
  readonly template: Template | undefined;
  readonly mistakes: readonly AgentError[];
}

function parsed(text: string): ParsedTemplate {
  try {
    const template = parseTemplate(text);
    return { template, mistakes: template.mistakes() };
  } catch (error) {
    if (!(error instanceof AgentError)) throw error;
    return { template: undefined, mistakes: [error] };
  }
}

/** Parses and tries out templates, and reports what is wrong with them where it stands. */
export class TemplateChecker {
  readonly #diagnostics: Diagnostics;
  readonly #parsed = new Map<string, ParsedTemplate>();
  readonly #conditions = new Map<string, When | undefined>();

  constructor(diagnostics: Diagnostics) {
    this.#diagnostics = diagnostics;
  }

  /** Syntax only; undefined when it is wrong. */
  parse(text: string, origin: TextOrigin): Template | undefined {
    let known = this.#parsed.get(text);
    if (known === undefined) {
      known = parsed(text);
      this.#parsed.set(text, known);
    }
    for (const mistake of known.mistakes) this.#report(mistake, origin);
    return known.template;
  }

  /**
   * What a condition reads, as far as its text is known without traits; returns that text. Its
   * syntax, when it is no template, is reported where the module is checked by itself.
   */
  condition(
    text: string,
    data: TemplateData,
    origin: StackNode,
    where: string,
  ): string | undefined {
    const rendered = isTemplate(text) ? this.#tryText(text, data, origin, where) : text;
    const when = rendered === undefined ? undefined : this.#when(rendered);
    if (when === undefined) return rendered;
    for (const mistake of whenMistakes(when.node, data.Vars, knownTraits)) {
      const { line, column } = lineAndColumn(text, rendered === text ? mistake.offset : 0);
      const { reason, suggestion, isMissing, doubtful } = mistake;
      this.#diagnostics.report(placeInText(origin, line, column), {
        code: isMissing ? 'PUBLISH_MISSING_VARIABLE' : 'PUBLISH_CONDITION',
        ...(doubtful ? { severity: 'warning' } : {}),
        message: `${reason} ${where}`.trimEnd(),
        suggestion,
      });
    }
    return rendered;
  }

  #when(text: string): When | undefined {
    if (this.#conditions.has(text)) return this.#conditions.get(text);
    let when: When | undefined;
    try {
      when = parseWhen(text);
    } catch (error) {
      if (!(error instanceof AgentError)) throw error;
    }
    this.#conditions.set(text, when);
    return when;
  }

  /** Syntax of every text inside a value. */
  parseAll(value: PolicyValue, origin: TextOrigin): void {
    if (typeof value === 'string') {
      if (isTemplate(value)) this.parse(value, origin);
    } else if (value !== null && typeof value === 'object') {
      for (const item of Object.values(value)) this.parseAll(item, origin);
    }
  }

  /**
   * The value as the node will see it, as far as that is known without traits: texts that read
   * traits come back as undefined (inside lists and maps: the whole value does).
   */
  tryRender(
    value: PolicyValue,
    data: TemplateData,
    origin: TextOrigin,
    where: string,
  ): PolicyValue | undefined {
    if (typeof value === 'string') {
      return isTemplate(value) ? this.#tryText(value, data, origin, where) : value;
    }
    if (value === null || typeof value !== 'object') return value;
    const items = Object.entries(value).map(
      ([key, item]) => [key, this.tryRender(item, data, origin, where)] as const,
    );
    if (items.some(([, item]) => item === undefined)) return undefined;
    if (Array.isArray(value)) return items.map(([, item]) => item!);
    return Object.fromEntries(items as [string, PolicyValue][]);
  }

  #tryText(
    text: string,
    data: TemplateData,
    origin: TextOrigin,
    where: string,
  ): string | undefined {
    const template = this.parse(text, origin);
    if (template === undefined) return undefined;
    const { Traits: _, ...known } = data;
    const { mistakes, text: rendered } = template.check(known, knownTraits);
    for (const { error, doubtful } of mistakes) {
      this.#report(error, origin, { where, doubtful });
    }
    return rendered;
  }

  #report(error: unknown, origin: TextOrigin, context?: ReportContext): void {
    if (!(error instanceof AgentError)) throw error;
    const details = error.details as Readonly<Record<string, unknown>>;
    const line = Number(details.line ?? 1);
    const column = Number(details.column ?? 1);
    const missing = error.code === 'POLICY_TEMPLATE_MISSING_KEY';
    const place: Place =
      origin.kind === 'file'
        ? { file: origin.file, line, column }
        : placeInText(origin, line, column);
    const path = String(details.path ?? '');
    const { suggestion } = details;
    this.#diagnostics.report(place, {
      code: missing ? 'PUBLISH_MISSING_VARIABLE' : 'PUBLISH_TEMPLATE',
      ...(context?.doubtful ? { severity: 'warning' } : {}),
      message: missing
        ? missingMessage(path, context?.where)
        : String(details.reason ?? error.message),
      suggestion: suggestion === undefined ? undefined : String(suggestion),
    });
  }
}

interface ReportContext {
  readonly where: string;
  /** What may not be a mistake after all. */
  readonly doubtful: boolean;
}

function missingMessage(path: string, where: string | undefined): string {
  if (/^\$?\.Traits\./.test(path)) return `${path} is no trait that agents collect`;
  return `${path} is not defined${where === undefined ? '' : ` ${where}`}`;
}

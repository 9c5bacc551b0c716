import { AgentError } from '../../../agent/errors.ts';
import { closestName } from '../../../agent/policy/closest.ts';
import {
  isTemplate,
  parseTemplate,
  type Template,
  type TemplateData,
} from '../../../agent/policy/template/template.ts';
import { isMap } from '../../../agent/policy/template/values.ts';
import type { PolicyValue } from '../../../agent/protocol/bundle.ts';
import type { DiagnosticCode, Diagnostics, Place } from './diagnostics.ts';
import { placeInText, type StackNode } from './node.ts';

/** Where a text stands: a value of a policy file, or a whole template file. */
export type TextOrigin = StackNode | { readonly kind: 'file'; readonly file: string };

/** Parses and tries out templates, and reports what is wrong with them where it stands. */
export class TemplateChecker {
  readonly #diagnostics: Diagnostics;
  readonly #parsed = new Map<string, Template | undefined>();

  constructor(diagnostics: Diagnostics) {
    this.#diagnostics = diagnostics;
  }

  /** Syntax only; undefined when it is wrong. */
  parse(text: string, origin: TextOrigin): Template | undefined {
    const known = this.#parsed.get(text);
    if (known !== undefined) return known;
    try {
      const template = parseTemplate(text);
      this.#parsed.set(text, template);
      return template;
    } catch (error) {
      this.#report(error, origin);
      return undefined;
    }
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
    const references = template.references();
    if (references.every(({ root }) => root === 'Vars' || root === 'Item' || root === 'Each')) {
      try {
        return template.render(data);
      } catch (error) {
        this.#report(error, origin, data, where);
        return undefined;
      }
    }
    for (const { root, path, certain, offset } of references) {
      if (!certain || root === 'Traits' || root === '') continue;
      // Rendering just this reference gives the same message as rendering it all.
      const alone = `{{ .${[root, ...path].join('.')} }}`;
      if (this.#exists(alone, data)) continue;
      const before = text.slice(0, offset);
      const line = before.split('\n').length;
      const column = offset - before.lastIndexOf('\n');
      const details = { line, column, path: `.${[root, ...path].join('.')}` };
      this.#report(new AgentError('POLICY_TEMPLATE_MISSING_KEY', details), origin, data, where);
    }
    return undefined;
  }

  #exists(reference: string, data: TemplateData): boolean {
    try {
      parseTemplate(reference).render(data);
      return true;
    } catch (error) {
      return !(error instanceof AgentError && error.code === 'POLICY_TEMPLATE_MISSING_KEY');
    }
  }

  #report(error: unknown, origin: TextOrigin, data?: TemplateData, where?: string): void {
    if (!(error instanceof AgentError)) throw error;
    const details = error.details as Readonly<Record<string, unknown>>;
    const line = Number(details.line ?? 1);
    const column = Number(details.column ?? 1);
    const missing = error.code === 'POLICY_TEMPLATE_MISSING_KEY';
    const code: DiagnosticCode = missing ? 'PUBLISH_MISSING_VARIABLE' : 'PUBLISH_TEMPLATE';
    const place: Place =
      origin.kind === 'file'
        ? { file: origin.file, line, column }
        : placeInText(origin, line, column);
    const path = String(details.path ?? '');
    const suggestion = missing ? suggestVariable(path, data) : details.suggestion;
    const message = missing
      ? `${path} is not defined${where === undefined ? '' : ` ${where}`}`
      : String(details.reason ?? error.message);
    this.#diagnostics.report(place, {
      code,
      message,
      suggestion: suggestion === undefined ? undefined : String(suggestion),
    });
  }
}

/** The closest existing name beside the missing one. */
function suggestVariable(path: string, data: TemplateData | undefined): string | undefined {
  const parts = path.replace(/^\$?\./, '').split('.');
  const name = parts.pop()!;
  let value: PolicyValue | undefined = data as unknown as PolicyValue;
  for (const part of parts) {
    value = value !== undefined && value !== null && isMap(value) ? value[part] : undefined;
  }
  if (value === undefined || value === null || !isMap(value)) return undefined;
  const closest = closestName(name, Object.keys(value));
  return closest === undefined ? undefined : `.${[...parts, closest].join('.')}`;
}

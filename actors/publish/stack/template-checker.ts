import { AgentError } from '../../../agent/errors.ts';
import { closestName } from '../../../agent/policy/closest.ts';
import { knownTraits } from '../../../agent/policy/known-traits.ts';
import {
  isTemplate,
  parseTemplate,
  type Template,
  type TemplateData,
} from '../../../agent/policy/template/template.ts';
import { isMap } from '../../../agent/policy/template/values.ts';
import type { PolicyValue } from '../../../agent/protocol/bundle.ts';
import type { Diagnostics, Place } from './diagnostics.ts';
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
      for (const mistake of template.mistakes()) this.#report(mistake, origin);
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
    const { Traits: _, ...known } = data;
    const { mistakes, text: rendered } = template.check(known, knownTraits);
    for (const { error, doubtful } of mistakes) {
      this.#report(error, origin, { data, where, doubtful });
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
    const suggestion = details.suggestion ?? (missing ? suggestVariable(path, context) : undefined);
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
  readonly data: TemplateData;
  readonly where: string;
  /** What may not be a mistake after all. */
  readonly doubtful: boolean;
}

function missingMessage(path: string, where: string | undefined): string {
  if (/^\$?\.Traits\./.test(path)) return `${path} is no trait that agents collect`;
  return `${path} is not defined${where === undefined ? '' : ` ${where}`}`;
}

/** The closest existing name beside the missing one. */
function suggestVariable(path: string, context: ReportContext | undefined): string | undefined {
  const parts = path.replace(/^\$?\./, '').split('.');
  const name = parts.pop()!;
  let value: PolicyValue | undefined = context?.data as unknown as PolicyValue;
  for (const part of parts) {
    value = value !== undefined && value !== null && isMap(value) ? value[part] : undefined;
  }
  if (value === undefined || value === null || !isMap(value)) return undefined;
  const closest = closestName(name, Object.keys(value));
  return closest === undefined ? undefined : `.${[...parts, closest].join('.')}`;
}

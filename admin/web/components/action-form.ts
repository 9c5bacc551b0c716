import { type Html, type HtmlValue, html } from '../html.ts';

interface ActionForm {
  /** "POST /api/v1/config/freeze": the fields go there as JSON. */
  readonly api: string;
  readonly fields?: HtmlValue;
  readonly submit: string;
  readonly look?: 'primary' | 'danger';
  /** What is told when it was done. */
  readonly done?: string;
  /** Where to go then, with `{name}` of the answer; the page is shown again by default. */
  readonly next?: string;
  /** Of a dialog whose `data-field` places take the answer; instead of `next`. */
  readonly show?: string;
}

/** A form that calls the API as whoever is logged in; a refusal is worded in it. */
export function actionForm(form: ActionForm): Html {
  const { api, fields, submit, look = 'primary', done, next = 'reload', show } = form;
  const after = show === undefined ? html` data-then="${next}"` : html` data-show="${show}"`;
  return html`<form data-api="${api}"${done && html` data-done="${done}"`}${after}>
    ${fields}
    <p class="form-error" data-error role="alert"></p>
    <p class="form-actions"><button class="button ${look}">${submit}</button></p>
  </form>`;
}

interface Field {
  readonly id: string;
  readonly name: string;
  readonly label: string;
  readonly hint?: HtmlValue;
  readonly value?: string | undefined;
  readonly required?: boolean;
  readonly placeholder?: string;
  readonly maxLength?: number;
}

export function textField(field: Field): Html {
  const { id, name, label, hint, value, required, placeholder, maxLength = 500 } = field;
  return html`<div class="field"><label for="${id}">${label}</label>
    <input id="${id}" name="${name}" maxlength="${maxLength}" autocomplete="off"${
      value && html` value="${value}"`
    }${placeholder && html` placeholder="${placeholder}"`}${required && html` required`}${
      hint && html` aria-describedby="${id}-hint"`
    }>
    ${hint && html`<span class="hint" id="${id}-hint">${hint}</span>`}</div>`;
}

/** `options`: the value, '' for none, and the words. */
export function choiceField(
  field: Omit<Field, 'placeholder' | 'maxLength'> & {
    readonly options: readonly (readonly [string, string])[];
    readonly isNumber?: boolean;
  },
): Html {
  const { id, name, label, hint, value, options, isNumber, required } = field;
  return html`<div class="field"><label for="${id}">${label}</label>
    <select id="${id}" name="${name}"${isNumber && html` data-as="number"`}${required && html` required`}${
      hint && html` aria-describedby="${id}-hint"`
    }>${options.map(
      ([each, words]) =>
        html`<option value="${each}"${each === value && html` selected`}>${words}</option>`,
    )}</select>
    ${hint && html`<span class="hint" id="${id}-hint">${hint}</span>`}</div>`;
}

/** A value that goes along unseen. */
export function fixedField(name: string, value: string | number): Html {
  return html`<input type="hidden" name="${name}" value="${value}"${
    typeof value === 'number' && html` data-as="number"`
  }>`;
}

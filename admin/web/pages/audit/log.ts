import { Type } from 'typebox';
import type { AuditView, CheckpointView, Page } from '../../../api/backend.ts';
import { nameLengthMax, nothing, object } from '../../../api/schemas.ts';
import { choiceField, textField } from '../../components/action-form.ts';
import { emptyState } from '../../components/empty-state.ts';
import { icon } from '../../components/icon.ts';
import { live } from '../../components/live.ts';
import { pagination } from '../../components/pagination.ts';
import { partOf, Refused, refusedNote } from '../../components/refused.ts';
import { table } from '../../components/table.ts';
import { timeAt } from '../../components/time.ts';
import { type Html, html } from '../../html.ts';
import { page } from '../../page.ts';
import { pathTo } from '../../path.ts';
import { checkpointPanel } from './checkpoint.ts';
import { actorView, detailLine, eventBadge, families, subjectView } from './words.ts';

const rowsShown = 50;
const text = Type.Optional(Type.String({ maxLength: nameLengthMax }));

/** Nobody reads an older page for what comes in now. */

/** Who did what: filtered, newest first, with the state of the proof above it. */
export const auditLogPage = page({
  path: '/audit',
  summary: 'Audit log',
  access: 'audit.read',
  parameters: nothing,
  query: object({
    type: text,
    actor: text,
    subject: text,
    before: Type.Optional(Type.Integer({ minimum: 1 })),
  }),
  shared: true,
  render: async ({ read, query }) => {
    const { type, actor, subject, before } = query;
    const filter = {
      type: type || undefined,
      actor: actor || undefined,
      subject: subject || undefined,
    };
    const [{ items }, checkpoint] = await Promise.all([
      read<Page<AuditView>>('/api/v1/audit', {
        ...filter,
        before,
        newest: 'true',
        limit: rowsShown,
      }),
      partOf(read<CheckpointView>('/api/v1/audit/checkpoint')),
    ]);
    const rows = items.toReversed();
    return {
      title: 'Audit',
      ...(before === undefined ? { listen: { audited: true } } : {}),
      actions: html`<a class="button" href="/audit/export.jsonl" download>${icon('download')} Export</a>`,
      body: html`${checkpoint instanceof Refused ? refusedNote(checkpoint) : checkpointPanel(checkpoint)}
        ${filterForm(query)}
        ${live({
          id: 'entries',
          path: pathTo('/audit', { ...filter, before }),
          body:
            rows.length === 0
              ? nothingFound()
              : html`${entryTable(rows)}${pages(rows, filter, before)}`,
        })}`,
    };
  },
});

type Filter = { readonly type?: string; readonly actor?: string; readonly subject?: string };

function filterForm({ type = '', actor, subject }: Filter): Html {
  const isFamily = families.some(([family]) => family === type);
  const options = isFamily ? families : [...families, [type, type] as const];
  return html`<form class="filters" action="/audit">
    ${choiceField({ id: 'type', name: 'type', label: 'What', value: type, options })}
    ${textField({ id: 'actor', name: 'actor', label: 'Who', value: actor, placeholder: 'admin:alice' })}
    ${textField({ id: 'subject', name: 'subject', label: 'To what', value: subject, placeholder: 'an id' })}
    <button class="button">Filter</button>
  </form>`;
}

function nothingFound(): Html {
  return emptyState({
    icon: 'shield',
    title: 'No entry fits',
    text: 'Take a condition away, or look further back.',
    action: html`<a class="button" href="/audit">Show everything</a>`,
  });
}

function entryTable(rows: readonly AuditView[]): Html {
  return table({
    caption: 'Audit entries, newest first',
    main: true,
    rows,
    rowId: ({ sequence }) => `entry-${sequence}`,
    columns: [
      {
        label: 'Entry',
        number: true,
        cell: ({ sequence }) =>
          html`<a class="cell-main" href="/audit/${sequence}">${sequence}</a>`,
      },
      { label: 'When', cell: ({ atMs }) => timeAt(atMs) },
      { label: 'What', cell: ({ type }) => eventBadge(type) },
      { label: 'Who', cell: ({ actor }) => actorView(actor) },
      { label: 'To what', cell: ({ subject }) => subjectView(subject) },
      {
        label: 'Details',
        cell: (entry) => html`<span class="muted clamp">${detailLine(entry)}</span>`,
      },
    ],
  });
}

function pages(rows: readonly AuditView[], filter: Filter, before: number | undefined): Html {
  const last = rows.at(-1)?.sequence ?? 1;
  const isMore = rows.length === rowsShown && last > 1;
  return pagination({
    shown: `entries ${last} to ${rows[0]?.sequence ?? last}`,
    firstPath: before === undefined ? undefined : pathTo('/audit', filter),
    nextPath: isMore ? pathTo('/audit', { ...filter, before: last }) : undefined,
  });
}

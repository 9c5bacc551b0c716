import { Readable } from 'node:stream';
import { checkpointLine, exportLine } from '../../../../actors/audit/export.ts';
import { Answer } from '../../../api/answer.ts';
import type { AuditView, CheckpointView, Page } from '../../../api/backend.ts';
import { StreamBody } from '../../../api/http-edge.ts';
import type { ReadApi } from '../../../api/route.ts';
import { nothing } from '../../../api/schemas.ts';
import { page } from '../../page.ts';

const entriesAtOnce = 500;

/** The whole log with its signed checkpoint, as `vigocli audit export` writes and `verify --file` reads it. */
export const auditExportPage = page({
  path: '/audit/export.jsonl',
  summary: 'Export the audit log',
  access: 'audit.read',
  parameters: nothing,
  query: nothing,
  render: async ({ read }) => {
    const checkpoint = await read<CheckpointView>('/api/v1/audit/checkpoint');
    const headers = {
      'content-type': 'application/jsonl; charset=utf-8',
      'content-disposition': 'attachment; filename="vigo-audit.jsonl"',
    };
    return new Answer(
      200,
      headers,
      new StreamBody(undefined, Readable.from(lines(read, checkpoint))),
    );
  },
});

/** Read as the peer takes it; each page of entries is one chunk. */
async function* lines(read: ReadApi, checkpoint: CheckpointView): AsyncGenerator<string> {
  yield `${checkpointLine(checkpoint)}\n`;
  for (let after = 0; ; ) {
    const { items } = await read<Page<AuditView>>('/api/v1/audit', { after, limit: entriesAtOnce });
    if (items.length === 0) return;
    yield items.map((entry) => `${exportLine(rowOf(entry))}\n`).join('');
    after = items.at(-1)?.sequence ?? after;
  }
}

function rowOf({
  sequence,
  hash,
  previousHash: _,
  ...event
}: AuditView): Parameters<typeof exportLine>[0] {
  return { sequence, hash, event };
}

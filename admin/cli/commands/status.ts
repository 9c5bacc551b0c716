import type { Command } from 'commander';
import type { ShardStatus } from '../../../actors/server/status.ts';
import type { StatusView } from '../../api/backend.ts';
import type { OpenSession, Session } from '../session.ts';
import type { Column } from '../table.ts';
import { ago, plural, sizeWords, stateWord } from '../words.ts';

const columns: readonly Column<ShardStatus>[] = [
  { title: 'SHARD', value: (shard) => shard.thread },
  { title: 'CONNECTIONS', value: (shard) => String(shard.connections), align: 'right' },
  { title: 'CHECK-INS', value: (shard) => String(shard.checkIns), align: 'right' },
  { title: 'REPORTS', value: (shard) => String(shard.reports), align: 'right' },
  {
    title: 'REFUSALS',
    value: (shard) => String(Object.values(shard.refusals).reduce((sum, each) => sum + each, 0)),
    align: 'right',
  },
  { title: 'SQL', value: (shard) => String(shard.sqlStatements), align: 'right', optional: true },
  {
    title: 'LOOP P99',
    value: (shard) => `${shard.figures.eventLoopDelay.p99.toFixed(1)} ms`,
    align: 'right',
    optional: true,
  },
];

function describe(it: Session, status: StatusView): string {
  const counts = Object.entries(status.envoys).filter(([, count]) => count > 0);
  const total = counts.reduce((sum, [, count]) => sum + count, 0);
  const states = counts.map(([state, count]) => `${count} ${stateWord(state)}`).join(', ');
  const uptime = ago(status.startedAtMs, Date.now());
  const memory = sizeWords(status.process.rssKb * 1024);
  const sink = status.sink
    ? `${plural(status.sink.waitingEvents, 'event')} waiting`
    : 'not answering';
  return [
    `vigosrv ${status.version}, pid ${status.pid}, started ${uptime}, ${memory} resident`,
    `agents on port ${status.grpcPort}, REST on port ${status.apiPort}`,
    `policy version ${status.policyVersion}; ${plural(total, 'envoy')}${states ? `: ${states}` : ''}`,
    `sink: ${sink}, database ${sizeWords(status.databaseBytes)}`,
    '',
    it.table(status.shards, columns),
  ].join('\n');
}

export function addStatusCommand(program: Command, open: OpenSession): void {
  program
    .command('status')
    .description('show the server: fleet, shards, sink, memory')
    .action(async () => {
      const it = await open();
      const status = await it.client.get<StatusView>('/api/v1/status');
      it.print(status, () => describe(it, status));
    });
}

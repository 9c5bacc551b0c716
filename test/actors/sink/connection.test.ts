import { join } from 'node:path';
import { sql } from 'kysely';
import t from 'tap';
import { openSinkConnection } from '../../../actors/sink/connection.ts';
import { temporaryDirectory } from '../support/temporary.ts';

t.test('the writer keeps few pages in memory, however large the database becomes', async (t) => {
  const { kysely, close } = openSinkConnection(join(temporaryDirectory(t), 'vigo.db'));
  t.teardown(close);
  const { rows } = await sql<{ cache_size: number }>`pragma cache_size`.execute(kysely);
  const kilobytes = -Number(rows[0]?.cache_size);
  t.ok(kilobytes > 0, 'in kilobytes: a negative number (https://sqlite.org/pragma.html)');
  t.ok(kilobytes <= 4_096, 'one that fills for hours looks like a leak to whoever watches it');
});

import { type Kysely, sql } from 'kysely';
import type { ReportedTraits } from './fleet-batch.ts';
import type { SinkSchema } from './schema.ts';
import { osOf, type TraitLeaf, traitLeaves } from './trait-leaves.ts';

type Writer = Kysely<SinkSchema>;

const rebuildPage = 500;

/** Keeps an envoy's traits as they came, and by value: only what differs from before is written. */
export async function writeTraits(writer: Writer, traits: ReportedTraits): Promise<void> {
  const { envoyId, hash, traitsJson, receivedAtMs } = traits;
  const before = await writer
    .selectFrom('traits')
    .select('traits_json')
    .where('envoy_id', '=', envoyId)
    .executeTakeFirst();
  const columns = { hash, traits_json: traitsJson, received_at_ms: receivedAtMs };
  await writer
    .insertInto('traits')
    .values({ envoy_id: envoyId, ...columns })
    .onConflict((conflict) => conflict.column('envoy_id').doUpdateSet(columns))
    .execute();
  await indexTraits(writer, envoyId, parse(before?.traits_json), parse(traitsJson));
}

/** For a database whose traits are not found by value yet. */
export async function rebuildTraitIndex(writer: Writer): Promise<void> {
  for (let after = ''; ; ) {
    const page = await writer
      .selectFrom('traits')
      .select(['envoy_id', 'traits_json'])
      .where('envoy_id', '>', after)
      .orderBy('envoy_id')
      .limit(rebuildPage)
      .execute();
    for (const { envoy_id, traits_json } of page) {
      await indexTraits(writer, envoy_id, undefined, parse(traits_json));
    }
    const last = page.at(-1);
    if (last === undefined || page.length < rebuildPage) return;
    after = last.envoy_id;
  }
}

async function indexTraits(
  writer: Writer,
  envoyId: string,
  before: unknown,
  now: unknown,
): Promise<void> {
  const old = new Map(traitLeaves(before).map((leaf) => [leaf.join('\u0000'), leaf]));
  const added: TraitLeaf[] = [];
  for (const leaf of traitLeaves(now)) if (!old.delete(leaf.join('\u0000'))) added.push(leaf);
  if (before === undefined || osOf(before) !== osOf(now)) {
    await writer
      .updateTable('envoys')
      .set({ os: osOf(now) })
      .where('envoy_id', '=', envoyId)
      .execute();
  }
  if (added.length + old.size === 0) return;
  const number = await numberOf(writer, envoyId);
  await remove(writer, number, [...old.values()]);
  await add(writer, number, added);
}

/** One statement for however many leaves: the list travels as JSON. */
async function add(writer: Writer, number: number, leaves: readonly TraitLeaf[]): Promise<void> {
  if (leaves.length === 0) return;
  const list = JSON.stringify(leaves);
  await sql`insert or ignore into trait_terms (path, value)
    select value->>0, value->>1 from json_each(${list})`.execute(writer);
  await sql`insert or ignore into trait_postings (term, envoy)
    select term, ${number} from json_each(${list}) as leaf
    join trait_terms on trait_terms.path = leaf.value->>0 and trait_terms.value = leaf.value->>1`.execute(
    writer,
  );
}

async function remove(writer: Writer, number: number, leaves: readonly TraitLeaf[]): Promise<void> {
  if (leaves.length === 0) return;
  const terms = sql`select term from json_each(${JSON.stringify(leaves)}) as leaf
    join trait_terms on trait_terms.path = leaf.value->>0 and trait_terms.value = leaf.value->>1`;
  await sql`delete from trait_postings where envoy = ${number} and term in (${terms})`.execute(
    writer,
  );
  // A value that no machine has any more is forgotten.
  await sql`delete from trait_terms where term in (${terms})
    and not exists (select 1 from trait_postings where trait_postings.term = trait_terms.term)`.execute(
    writer,
  );
}

async function numberOf(writer: Writer, envoyId: string): Promise<number> {
  const known = await writer
    .selectFrom('envoy_numbers')
    .select('number')
    .where('envoy_id', '=', envoyId)
    .executeTakeFirst();
  if (known !== undefined) return known.number;
  const { rows } = await sql<{ number: number }>`insert into envoy_numbers (envoy_id)
    values (${envoyId}) returning number`.execute(writer);
  return rows[0]?.number ?? 0;
}

/** The document was checked when it came in; an unreadable one of an older release has no leaves. */
function parse(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

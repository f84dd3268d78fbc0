import type { Queries, RowLines } from './contract.ts';

/** Adds rows as SQL takes them from anybody, inside of a transaction. */
export async function insertRows(queries: Queries, rows: RowLines): Promise<void> {
  const { table, columns, same, existing, statement } = rows;
  const names = Object.keys(columns).join(', ');
  const typed = Object.entries(columns).map(([name, type]) => `${name} ${type}`);
  const constants = Object.keys(same).map((_, index) => `$${index + 2}`);
  const list = Buffer.from(rows.lines.buffer, rows.lines.byteOffset, Math.max(0, rows.lines.byteLength - 1))
    .toString()
    .replaceAll('\n', ',');
  await queries.query(
    `insert into ${table} (${[names, ...Object.keys(same)].join(', ')})
     select ${[names, ...constants].join(', ')} from json_to_recordset($1::json) as line (${typed.join(', ')})
     ${existing === 'keep' ? 'on conflict do nothing' : ''}`,
    [`[${list}]`, ...Object.values(same)],
  );
  await queries.query(statement.sql, statement.params);
}

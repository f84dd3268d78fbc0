import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type EraClient, openEraClient } from './era-client.ts';
import { type Era, type EraServer, startEraServer } from './era-server.ts';
import { type Row, rows, type Side } from './fidelity-rows.ts';
import { type Json, startApp, type TestApp } from './start-app.ts';

const document = fileURLToPath(new URL('../../docs/fidelity.md', import.meta.url));
const eras = ['legacy', 'modern'] as const;
const cells = eras.flatMap((client) => eras.map((server) => ({ client, server })));
const named = ({ client, server }: (typeof cells)[number]) => `${client} client, ${server} server`;

/**
 * Each thing that the protocol can do is done in each cell, and again without the gateway by a client of the server's own
 * era. Both times client and server must see the same. The outcome is docs/fidelity.md; `UPDATE_DOCS=1` writes it anew.
 */
describe('what the gateway carries', () => {
  const servers: EraServer[] = [];
  const clients: EraClient[] = [];
  const direct = {} as Record<Era, Side>;
  const relayed = new Map<string, Side>();
  const references = new Map<string, Promise<Json>>();
  const outcomes = new Map<string, 'same' | 'differs'>();
  let app: TestApp;

  /** What a client of the server's own era sees directly; observed once. */
  function reference(row: Row, era: Era): Promise<Json> {
    const key = `${row.name} ${era}`;
    const known = references.get(key) ?? row.observe(direct[era]);
    references.set(key, known);
    return known;
  }

  before(async () => {
    const start = async (era: Era): Promise<EraServer> => {
      const server = await startEraServer(era);
      servers.push(server);
      return server;
    };
    const behind = await Promise.all(cells.map(({ server }) => start(server)));
    const ids = cells.map(({ client, server }) => `${client}-${server}`);
    const workers = ids.map((id, i) => `  - { id: ${id}, mcp: { uri: "${behind[i]?.uri}" } }`);
    const gateways = ids.map(
      (id) => `  - { name: ${id}, slug: ${id}, naming: source, tool_filter: { allowed_tools: [${id}.*] } }`,
    );
    app = await startApp(['workers:', ...workers, 'gateways:', ...gateways].join('\n'));
    for (const [i, cell] of cells.entries()) {
      const id = ids[i] as string;
      const status = await app.app.rooms.sources.refresh('default', id);
      assert.equal(status.state, 'healthy', status.message);
      const headers = { authorization: `Bearer ${app.key}`, 'arcade-user-id': 'alice' };
      const client = await openEraClient(cell.client, `${app.url}/mcp/${id}`, headers);
      clients.push(client);
      relayed.set(named(cell), { client, server: behind[i] as EraServer, serverEra: cell.server });
    }
    for (const era of eras) {
      const server = await start(era);
      const client = await openEraClient(era, server.uri);
      clients.push(client);
      direct[era] = { client, server, serverEra: era };
    }
  });
  after(async () => {
    for (const client of clients) await client.close();
    await app.close();
    for (const server of servers) await server.close();
  });

  for (const row of rows) {
    for (const cell of cells) {
      if (row.exists?.(cell.client, cell.server) === false) continue;
      test(`${row.name}: ${named(cell)}`, async () => {
        const key = `${row.name}: ${named(cell)}`;
        outcomes.set(key, 'differs');
        const expected = await reference(row, cell.server);
        const seen = await row.observe(relayed.get(named(cell)) as Side);
        assert.deepEqual(seen, expected);
        outcomes.set(key, 'same');
      });
    }
  }

  test('docs/fidelity.md says what was measured', () => {
    const lines = rows.map((row) => {
      const measured = cells.map((cell) => outcomes.get(`${row.name}: ${named(cell)}`) ?? '–');
      return `| ${[row.name, row.compared, ...measured].join(' | ')} |`;
    });
    const text = [...heading, ...lines, ''].join('\n');
    if (process.env.UPDATE_DOCS === '1') writeFileSync(document, text);
    assert.equal(readFileSync(document, 'utf8'), text, 'UPDATE_DOCS=1 writes it anew');
  });
});

const heading = [
  '# What the gateway carries',
  '',
  'Written by `UPDATE_DOCS=1 node --test server/test/fidelity.slow.test.ts`, and held to what is measured by every run of the slow tests.',
  '',
  'The protocol has two generations: **legacy** is 2024-11-05 to 2025-11-25, **modern** is 2026-07-28. Each row is done by a',
  "client of the server's own generation without the gateway, and by a client of each generation through it. *same*: client and",
  'server saw through the gateway what they saw without it, apart from what the generations put in other words. *–*: the',
  'protocol does not have it there.',
  '',
  `| | What is compared | ${cells.map(named).join(' | ')} |`,
  `|---|---|${cells.map(() => '---|').join('')}`,
];

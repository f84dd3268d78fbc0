import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type ScimServer, startScimServer } from './fixtures/scim-server.ts';

let server: ScimServer;
before(async () => {
  server = await startScimServer();
});
after(() => server?.close());

describe('a group of fifty thousand', () => {
  it('is created, shown, changed and replaced; nothing longer than allowed is read', async () => {
    const { db } = server.app.rooms;
    await db.query(
      `insert into people (id, organization_id, email, name, active, provisioned, user_name, created_at, updated_at)
       select 'usr_' || n, 'default', '', 'User ' || n, true, json_build_object('userName', 'many' || n), 'many' || n,
         now(), now()
       from generate_series(1, 50000) n`,
    );
    const members = Array.from({ length: 50_000 }, (_, at) => ({
      value: `usr_${at + 1}`,
      $ref: `${server.url}/scim/v2/Users/usr_${at + 1}`,
      display: `User ${at + 1}`,
    }));
    const path = `/Groups/${(await server.newGroup('Everybody')).id}`;
    const put = await server.ask('PUT', `${path}?excludedAttributes=members`, {
      displayName: 'Everybody',
      members,
    });
    assert.equal(put.status, 200);
    const read = await server.ask('GET', path);
    assert.equal(read.body.members.length, 50_000);
    // A page of groups does not hold all the members there are.
    await server.newGroup('Some more', ['usr_1', 'usr_2']);
    const seen: string[] = [];
    let pages = 0;
    for (let total = 1; seen.length < total; pages++) {
      const { body } = await server.ask('GET', `/Groups?startIndex=${seen.length + 1}`);
      total = body.totalResults;
      assert.equal(body.itemsPerPage, body.Resources.length);
      seen.push(...body.Resources.map(({ id }: { id: string }) => id));
    }
    assert.equal(new Set(seen).size, seen.length);
    assert.ok(pages > 1 && pages < 5, String(pages));
    const { body } = await server.ask('GET', '/Groups?excludedAttributes=members&count=200');
    assert.equal(body.itemsPerPage, seen.length);

    await server.patch(path, [{ op: 'remove', path: 'members', value: members.slice(0, 49_990) }]);
    assert.equal((await server.ask('GET', path)).body.members.length, 10);
    const long = await server.ask('POST', '/Groups', { displayName: 'x'.repeat(17 * 1024 * 1024) });
    assert.equal(long.status, 413);
  });
});

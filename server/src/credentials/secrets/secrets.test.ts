import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, it } from 'node:test';
import { manualClock } from '#foundation';
import { type Changes, type Db, openChanges } from '#storage';
import { silentLog } from '#telemetry';
import { openVault } from '#vault';
import { openTestDatabase } from '../../../test/database.ts';
import type { Secrets } from './contract.ts';
import { createSecrets } from './secrets.ts';

const organizations: Record<string, string> = { default: 'default', other: 'default', foreign: 'org_2' };
const ofProject = { organizationId: 'default', projectId: 'default' };
const ofAll = { organizationId: 'default', projectId: null };
const token = { key: 'API_TOKEN', value: 'hush-1', description: undefined };

let db: Db;
let clock: ReturnType<typeof manualClock>;
const stops: (() => Promise<void>)[] = [];

before(async () => {
  db = await openTestDatabase();
});
after(() => db.close());
beforeEach(async () => {
  clock = manualClock();
  await db.query('delete from secrets');
});
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

/** One replica, with what it hears by. */
async function replica(): Promise<{ secrets: Secrets; changes: Changes; close: () => Promise<void> }> {
  const changes = await openChanges(db, { clock, log: silentLog }, true);
  const vault = await openVault({ db, clock });
  const organizationOf = (id: string) => organizations[id] ?? null;
  const made = await createSecrets({ db, changes, vault, clock, log: silentLog, organizationOf });
  stops.push(made.close);
  return { ...made, changes };
}

it("a project's own secret goes before that of its organisation, which the other projects have", async () => {
  const { secrets } = await replica();
  await secrets.put(ofAll, { ...token, value: 'of all' });
  await secrets.put(ofProject, { ...token, value: 'of one' });
  assert.equal(await secrets.open('default', 'API_TOKEN'), 'of one');
  assert.equal(await secrets.open('other', 'API_TOKEN'), 'of all');
  assert.equal(await secrets.open('foreign', 'API_TOKEN'), null);
  assert.equal(await secrets.open('no.such', 'API_TOKEN'), null);
  assert.deepEqual(
    secrets.list('default').map(({ key, projectId }) => [key, projectId]),
    [
      ['API_TOKEN', 'default'],
      ['API_TOKEN', null],
    ],
  );
  assert.deepEqual(secrets.list('foreign'), []);
});

it('a value is in no row and in no answer, and stays after a restart', async () => {
  const { secrets } = await replica();
  const put = await secrets.put(ofProject, token);
  assert.ok(put.ok);
  const rows = JSON.stringify(await db.query('select * from secrets'));
  const told = JSON.stringify([put.value, secrets.list('default')]);
  assert.doesNotMatch(rows + told, /hush/);
  const again = await replica();
  assert.equal(await again.secrets.open('default', 'API_TOKEN'), 'hush-1');
});

it('what is sealed for one place does not open in another', async () => {
  const { secrets } = await replica();
  await secrets.put(ofProject, token);
  await db.query(
    `insert into secrets (id, organization_id, project_id, key, description, sealed, created_at, updated_at)
     select 'sec_stolen', 'org_2', 'foreign', key, '', sealed, created_at, updated_at from secrets`,
  );
  const again = await replica();
  assert.throws(() => again.secrets.open('foreign', 'API_TOKEN'), /cannot be opened/);
});

it('a new value keeps id and description, and acts in another replica once it heard', async () => {
  const here = await replica();
  const there = await replica();
  const first = await here.secrets.put(ofProject, { ...token, description: 'of CI' });
  await there.changes.look();
  assert.equal(await there.secrets.open('default', 'API_TOKEN'), 'hush-1');
  const second = await here.secrets.put(ofProject, { ...token, value: 'hush-2' });
  assert.ok(first.ok && second.ok);
  assert.equal(second.value.id, first.value.id);
  assert.equal(second.value.description, 'of CI');
  const heard: (string | null)[] = [];
  there.secrets.onChange((projectId) => heard.push(projectId));
  await there.changes.look();
  assert.equal(await there.secrets.open('default', 'API_TOKEN'), 'hush-2');
  await here.secrets.remove(ofProject, second.value.id);
  await there.changes.look();
  assert.deepEqual(heard, ['default', 'default'], 'and nobody looks anew in other projects');
  assert.equal(there.secrets.has('default', 'API_TOKEN'), false);
});

it('no id of one place works in another', async () => {
  const { secrets } = await replica();
  const made = await secrets.put(ofProject, token);
  assert.ok(made.ok);
  for (const place of [ofAll, { ...ofProject, projectId: 'other' }]) {
    const removed = await secrets.remove(place, made.value.id);
    assert.equal(!removed.ok && removed.error.code, 'resource.unknown');
  }
  assert.equal(secrets.has('default', 'API_TOKEN'), true);
});

it('what the file declares goes first, is read-only, and is gone with its entry', async () => {
  const { secrets } = await replica();
  await secrets.put(ofProject, token);
  secrets.applyFile('default', [{ key: 'API_TOKEN', value: 'of the file' }]);
  assert.equal(await secrets.open('default', 'API_TOKEN'), 'of the file');
  const put = await secrets.put(ofProject, token);
  assert.equal(!put.ok && put.error.code, 'resource.read_only');
  const removed = await secrets.remove(ofProject, 'API_TOKEN');
  assert.equal(!removed.ok && removed.error.code, 'resource.read_only');
  assert.deepEqual(
    secrets.list('default').map(({ origin }) => origin),
    ['file'],
  );
  secrets.applyFile('default', []);
  assert.equal(await secrets.open('default', 'API_TOKEN'), 'hush-1');
});

it('a place holds so many secrets, and one that is there can still be changed', async () => {
  const { secrets } = await replica();
  await db.query(
    `insert into secrets (id, organization_id, project_id, key, description, sealed, created_at, updated_at)
     select 'sec_' || n, 'default', 'default', 'K' || n, '', '', now(), now() from generate_series(1, 1000) n`,
  );
  const refused = await secrets.put(ofProject, token);
  assert.equal(!refused.ok && refused.error.code, 'resource.conflict');
  assert.equal((await secrets.put(ofProject, { ...token, key: 'K7' })).ok, true);
  assert.equal((await secrets.put({ ...ofProject, projectId: 'other' }, token)).ok, true);
});

it('when a secret was opened last is told at once, and written down once a minute', async () => {
  const { secrets, close } = await replica();
  await secrets.put(ofProject, token);
  const lastAccess = () => secrets.list('default')[0]?.lastAccessedAt;
  assert.equal(lastAccess(), null);
  clock.advance(1000);
  await secrets.open('default', 'API_TOKEN');
  const at = clock.iso();
  assert.equal(lastAccess(), at);
  const written = async () => (await db.query('select last_accessed_at from secrets'))[0]?.last_accessed_at;
  assert.equal(await written(), null);
  clock.advance(59_000);
  await close();
  assert.equal(await written(), clock.iso());
});

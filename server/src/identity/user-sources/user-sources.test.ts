import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { createEgress } from '#egress';
import { manualClock } from '#foundation';
import { openChanges } from '#storage';
import { silentLog } from '#telemetry';
import { openVault } from '#vault';
import { type IdentityProvider, startIdentityProvider } from '../../../test/identity-provider.ts';
import type { UserSource } from './contract.ts';
import { openTestSources, problemIn, type TestSources } from './fixtures/sources.ts';
import { createUserSources } from './user-sources.ts';

let kit: TestSources;
let idp: IdentityProvider;
const clock = manualClock();

before(async () => {
  kit = await openTestSources(undefined, undefined, clock);
});
after(() => kit.close());
beforeEach(async () => {
  idp = await startIdentityProvider();
});
afterEach(() => idp.close());

const declared = (source: UserSource, id: string): UserSource => ({
  ...source,
  id,
  origin: 'file',
  createdAt: '1970-01-01T00:00:00.000Z',
  updatedAt: '1970-01-01T00:00:00.000Z',
});

describe('user sources', () => {
  it('are known to every replica, and after a restart, as they were written', async () => {
    const replica = async () => {
      const egress = createEgress({ allow: [] });
      const changes = await openChanges(kit.db, { clock, log: silentLog }, true);
      const vault = await openVault({ db: kit.db, clock });
      const deps = { db: kit.db, changes, vault, egress, clock, issuer: () => 'http://127.0.0.1:1' };
      return { sources: await createUserSources(deps), changes, egress };
    };
    const [one, other] = [await replica(), await replica()];
    const draft = { ...(await kit.sourceOf(idp)), id: one.sources.newId() };
    const made = await one.sources.create(draft);
    assert.ok(made.ok);
    const { id } = made.value;
    assert.equal(other.sources.get('default', id), null);
    await other.changes.look();
    assert.deepEqual(other.sources.get('default', id), made.value);
    await other.sources.replace('default', id, { ...made.value, name: 'Renamed' });
    await one.changes.look();
    assert.equal(one.sources.get('default', id)?.name, 'Renamed');
    one.sources.applyFile('default', [declared(made.value, 'of-file')]);
    await other.sources.remove('default', id);
    await one.changes.look();
    assert.equal(one.sources.get('default', id), null);
    assert.ok(one.sources.get('default', 'of-file'));
    for (const { changes, egress } of [one, other]) {
      changes.close();
      egress.close();
    }
  });

  it('of the file are exactly those of the file, and nobody else changes them', async () => {
    const { sources } = kit;
    const [a, b] = [declared(await kit.sourceOf(idp), 'a'), declared(await kit.sourceOf(idp), 'b')];
    sources.applyFile('default', [a, b]);
    const known = sources.get('default', 'a');
    sources.applyFile('default', [{ ...a }]);
    assert.equal(sources.get('default', 'a'), known, 'what did not change keeps what is known of its issuer');
    assert.equal(sources.get('default', 'b'), null);
    for (const refused of [await sources.remove('default', 'a'), await sources.replace('default', 'a', a)])
      assert.equal(refused.ok || refused.error.code, 'resource.read_only');
    sources.applyFile('default', []);
    assert.equal(sources.get('default', 'a'), null);
  });

  it('of one project are unknown in another', async () => {
    const { id } = await kit.sourceOf(idp);
    assert.equal(kit.sources.get('other', id), null);
    const removed = await kit.sources.remove('other', id);
    assert.equal(removed.ok || removed.error.code, 'resource.unknown');
  });
});

describe('what an issuer says of itself', () => {
  it('is asked once an hour, and holds for a day while the issuer does not answer', async () => {
    const source = await kit.sourceOf(idp);
    const begin = () => kit.sources.begin(source, { redirectUri: 'http://127.0.0.1:1/x', goOnAt: '/' });
    await Promise.all([begin(), begin(), begin()]);
    assert.equal(idp.asked.discovery, 1, 'together');
    clock.advance(59 * 60_000);
    await begin();
    assert.equal(idp.asked.discovery, 1);
    clock.advance(2 * 60_000);
    await begin();
    assert.equal(idp.asked.discovery, 2);
    idp.knobs.down = true;
    clock.advance(23 * 3_600_000);
    assert.ok((await begin()).ok);
    clock.advance(2 * 3_600_000);
    assert.equal(problemIn(await begin()).code, 'sign_in.source_unreachable');
  });

  it('and what contradicts the source holds at once', async () => {
    const source = await kit.sourceOf(idp);
    const begin = () => kit.sources.begin(source, { redirectUri: 'http://127.0.0.1:1/x', goOnAt: '/' });
    assert.ok((await begin()).ok);
    idp.knobs.discoveryIssuer = 'https://evil.example';
    clock.advance(61 * 60_000);
    assert.equal(problemIn(await begin()).code, 'sign_in.source_misconfigured');
  });
});

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import {
  type Caller,
  type Challenge,
  type Credential,
  newSourceFromRequest,
  type Source,
  stateOfConsent,
} from '#domain';
import { createEgress, type Egress } from '#egress';
import { type Clock, manualClock, type Result, systemClock } from '#foundation';
import { type Db, openChanges } from '#storage';
import { silentLog } from '#telemetry';
import { openVault } from '#vault';
import { openTestDatabase } from '../../test/database.ts';
import { type OAuthSource, startOAuthSource } from '../../test/oauth-source.ts';
import type { ConsentEvent, Credentials } from './contract.ts';
import { createCredentials } from './credentials.ts';
import { nobodySignedIn } from './exchange/fixtures/subjects.ts';
import type { Verifier } from './flows/contract.ts';

const at = { projectId: 'default', sourceId: 'guarded' };
const target = { projectId: 'default', kind: 'source', id: 'guarded' } as const;
const ada = { userId: 'ada', principal: { kind: 'api_key', id: 'key_1' } } as unknown as Caller;
const tables = ['connections', 'connection_clients', 'connection_flows'];
const anybody: Verifier = { person: null, isSameBrowser: () => true };

describe('what users let us do at sources', () => {
  let db: Db;
  let upstream: OAuthSource;
  let egress: Egress;
  let source: Source;
  /** Time stands still until told to pass, but who waits is woken. */
  let time: ReturnType<typeof manualClock>;
  let clock: Clock;
  let ended: ConsentEvent[];
  const open: Credentials[] = [];

  before(async () => {
    egress = createEgress({ allow: ['127.0.0.1'] });
    db = await openTestDatabase();
  });
  after(async () => {
    egress.close();
    await db.close();
  });
  beforeEach(async () => {
    for (const table of tables) await db.query(`delete from ${table}`);
    upstream = await startOAuthSource();
    time = manualClock(Date.now());
    clock = { ...time, every: systemClock.every };
    ended = [];
    const mcp = { uri: upstream.uri, timeout: 30, retry: 0, headers: {}, secrets: {} };
    const asked = newSourceFromRequest({ id: 'guarded', enabled: true, mcp }, { projectId: 'default' });
    source = { ...asked, origin: 'api', createdAt: time.iso(), updatedAt: time.iso() };
  });
  afterEach(async () => {
    for (const one of open.splice(0)) one.close();
    await upstream.close();
  });

  /** One replica. */
  async function start(with_: Clock = clock): Promise<Credentials> {
    const credentials = await createCredentials({
      db,
      changes: await openChanges(db, { clock: with_, log: silentLog }),
      vault: await openVault({ db, clock: with_ }),
      egress,
      clock: with_,
      log: silentLog,
      subjects: nobodySignedIn,
      issuer: () => 'http://127.0.0.1:1',
      organizationOf: () => 'default',
      sourceOf: (_projectId, id) => (id === 'guarded' ? source : null),
      onConsent: (event) => void ended.push(event),
    });
    open.push(credentials);
    return credentials;
  }

  /** As the source answers a request that carries nothing, or this. */
  async function challenge(credential: Credential | null = null): Promise<Challenge> {
    const token = credential?.authorization?.token;
    const answer = await fetch(upstream.uri, {
      method: 'POST',
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }),
    });
    assert.equal(answer.status, 401);
    return { status: 401, header: answer.headers.get('www-authenticate') };
  }

  async function linkOf(credentials: Credentials, sent: Credential | null = null): Promise<string> {
    const asked = await credentials.challenged(ada, at, await challenge(sent), sent);
    assert.equal(asked?.ok === false ? asked.error.code : asked, 'credentials.consent_required');
    const url = asked?.ok === false ? (asked.error.details?.authorization_url as string) : '';
    return url.slice(url.lastIndexOf('/') + 1);
  }

  async function consent(credentials: Credentials, sent: Credential | null = null): Promise<void> {
    const url = await credentials.consents.open(await linkOf(credentials, sent), anybody, 'cookie');
    assert.ok(url.ok);
    const back = await fetch(url.value, { redirect: 'manual' });
    const answer = new URL(back.headers.get('location') ?? '').searchParams;
    const finished = await credentials.consents.finish(target, answer, anybody);
    assert.ok(finished.ok, JSON.stringify(finished));
  }

  const given = async (credentials: Credentials): Promise<Result<Credential | null, { code: string }>> =>
    await credentials.forSource(ada, at);
  async function tokenFrom(credentials: Credentials): Promise<Credential> {
    const credential = await given(credentials);
    assert.ok(credential.ok && credential.value !== null, JSON.stringify(credential));
    return credential.value;
  }
  const grants = () => upstream.asked.map((form) => form.get('grant_type'));

  it('a consent that nobody finishes has failed after ten minutes, and says why', async () => {
    const credentials = await start(time);
    const token = await linkOf(credentials);
    time.advance(10 * 60_000 - 1);
    assert.equal((await credentials.consents.look(token, anybody)).ok, true);
    time.advance(30_000);
    // What was begun by the clock is done before what is asked later.
    while (ended.length < 2) await db.query('select 1');
    assert.deepEqual([ended[1]?.kind, ended[1]?.code], ['expired', 'expired']);
    const looked = await credentials.consents.look(token, anybody);
    assert.deepEqual(looked.ok ? null : [looked.error.kind, looked.error.words], [
      'failed',
      'nobody finished it within ten minutes',
    ]);
  });

  it('costs nothing where nobody is connected: the answer is there at once', async () => {
    const credentials = await start();
    assert.deepEqual(credentials.forSource(ada, at), { ok: true, value: null });
    await consent(credentials);
    await tokenFrom(credentials);
    const known = credentials.forSource(ada, at);
    assert.ok(!(known instanceof Promise) && known.ok && known.value !== null);
  });

  it('survives a restart', async () => {
    await consent(await start());
    const token = (await tokenFrom(await start())).authorization?.token;
    assert.equal(token, upstream.given[0]);
  });

  it('a token is renewed shortly before it is over, with the refresh token that came last', async () => {
    const credentials = await start();
    await consent(credentials);
    for (let renewals = 0; renewals < 3; renewals++) {
      const before = await tokenFrom(credentials);
      time.advance(3_600_000 - 30_000 - 1);
      assert.deepEqual(await tokenFrom(credentials), before);
      time.advance(1);
      assert.notDeepEqual(await tokenFrom(credentials), before);
    }
    assert.deepEqual(grants(), ['authorization_code', 'refresh_token', 'refresh_token', 'refresh_token']);
  });

  it('several replicas renew it once between them', async () => {
    const replicas = [await start(), await start(), await start()];
    await consent(replicas[0] as Credentials);
    // Where replicas share a database they tell each other; here each reads anew.
    const anew = await Promise.all(replicas.map(() => start()));
    time.advance(3_600_000);
    const tokens = await Promise.all(anew.flatMap((one) => [tokenFrom(one), tokenFrom(one)]));
    assert.equal(new Set(tokens.map(({ authorization }) => authorization?.token)).size, 1);
    assert.deepEqual(grants(), ['authorization_code', 'refresh_token']);
  });

  it('a replica that holds an older token goes on with the newer one', async () => {
    const first = await start();
    await consent(first);
    const second = await start();
    const old = await tokenFrom(second);
    time.advance(60_000);
    upstream.revoke();
    const renewed = await first.challenged(ada, at, await challenge(old), old);
    assert.ok(renewed?.ok);
    assert.deepEqual(await tokenFrom(second), old);
    const told = await second.challenged(ada, at, await challenge(old), old);
    assert.deepEqual(told, renewed);
    assert.deepEqual(grants(), ['authorization_code', 'refresh_token']);
  });

  it('while the authorization server is away, a call says so, and nothing that the user gave is lost', async () => {
    const credentials = await start();
    await consent(credentials);
    time.advance(3_600_000);
    upstream.tokenAnswer = () => ({ status: 503, body: 'away' });
    const refused = await given(credentials);
    assert.equal(refused.ok ? null : refused.error.code, 'credentials.provider_unavailable');
    upstream.tokenAnswer = null;
    time.advance(2_000);
    assert.equal((await tokenFrom(credentials)).authorization?.token, upstream.given.at(-2));
  });

  it('a refresh token that was revoked leads to one consent, and is not tried again', async () => {
    const credentials = await start();
    await consent(credentials);
    time.advance(3_600_000);
    upstream.revoke({ refreshTokens: true });
    assert.deepEqual(await given(credentials), { ok: true, value: null });
    assert.deepEqual(await given(credentials), { ok: true, value: null });
    assert.deepEqual(grants(), ['authorization_code', 'refresh_token']);
    await consent(credentials);
    await tokenFrom(credentials);
  });

  it('a token that is refused just after it was given is not renewed for ever', async () => {
    const credentials = await start();
    await consent(credentials);
    const token = await tokenFrom(credentials);
    upstream.revoke();
    await linkOf(credentials, token);
    assert.deepEqual(grants(), ['authorization_code']);
  });

  it('is sealed for its place: what is moved to another user opens for nobody', async () => {
    const credentials = await start();
    await consent(credentials);
    await db.query(`update connections set user_id = 'eve'`);
    const eve = { ...ada, userId: 'eve' };
    const anew = await start();
    assert.deepEqual(await anew.forSource(eve, at), { ok: true, value: null });
  });

  it('one user who is asked again and again keeps no other from being asked', async () => {
    const credentials = await start();
    const ask = async (caller: Caller) => {
      const asked = await credentials.challenged(caller, at, await challenge(), null);
      assert.ok(asked?.ok === false);
      return asked.error;
    };
    for (let asked = 0; asked < 50; asked++) {
      const nextUri = `https://app.example/${asked}`;
      const begun = await credentials.authorizations.authorize(
        { projectId: 'default', userId: 'ada', personId: null },
        { requirement: { sourceId: 'guarded' }, nextUri },
      );
      assert.equal(begun.ok ? begun.value.status : begun.error.code, 'pending');
    }
    assert.equal((await ask(ada)).code, 'policy.rate_limited');
    assert.equal((await ask({ ...ada, userId: 'bob' })).code, 'credentials.consent_required');
  });

  it('however many wait for the end of one consent, it is looked at once for all of them', async () => {
    const credentials = await start();
    const token = await linkOf(credentials);
    const [flow] = await db.query<{ id: string }>('select id from connection_flows');
    const resume = { state: stateOfConsent(flow?.id ?? ''), responses: {} };
    const { query } = db;
    let looks = 0;
    db.query = (sql, params) => {
      if (sql.includes('from connection_flows where id')) looks++;
      return query(sql, params);
    };
    try {
      const waiting = Array.from({ length: 50 }, () => credentials.resumed(ada, at, resume, null));
      // Whoever comes looks twice, at whose it is and at how it stands.
      while (looks <= 2 * waiting.length) await query('select 1');
      const url = await credentials.consents.open(token, anybody, 'cookie');
      assert.ok(url.ok);
      const back = await fetch(url.value, { redirect: 'manual' });
      const answer = new URL(back.headers.get('location') ?? '').searchParams;
      assert.ok((await credentials.consents.finish(target, answer, anybody)).ok);
      for (const one of await Promise.all(waiting)) assert.ok(one?.ok);
      assert.ok(looks < 3 * waiting.length, `${looks} looks`);
    } finally {
      db.query = query;
    }
  });

  it('is forgotten with its source, and who was asked is told so', async () => {
    const credentials = await start();
    await consent(credentials);
    const bob = { ...ada, userId: 'bob' };
    await credentials.challenged(bob, at, await challenge(), null);
    await credentials.forgetSource('default', 'guarded');
    assert.deepEqual(await given(credentials), { ok: true, value: null });
    for (const table of ['connections', 'connection_clients']) {
      assert.deepEqual(await db.query(`select * from ${table}`), []);
    }
    const flows = await db.query(
      'select user_id, status, failure, sealed from connection_flows order by user_id',
    );
    assert.deepEqual(flows, [
      { user_id: 'ada', status: 'completed', failure: null, sealed: '' },
      { user_id: 'bob', status: 'failed', failure: 'target_gone', sealed: '' },
    ]);
  });
});

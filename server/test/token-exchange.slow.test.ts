import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { decodeJwt } from 'jose';
import { createIdentity } from '#identity';
import { silentLog } from '#telemetry';
import { type Exchanging, startExchanging } from './exchanging.ts';
import type { Json } from './start-app.ts';

const hour = 3_600_000;
const userIn = (result: Json): string =>
  result.structuredContent?.user ?? assert.fail(JSON.stringify(result));
const refusalIn = (result: Json): Json => {
  assert.equal(result.isError, true, JSON.stringify(result));
  return result;
};
const textOf = (result: Json): string => JSON.stringify(refusalIn(result));
const counts = (e: Exchanging) => e.idp.exchange.requests.length;

describe('a tool of an internal API', () => {
  let e: Exchanging;
  before(async () => {
    e = await startExchanging();
  });
  after(() => e.close());
  afterEach(() => {
    e.idp.exchange.error = null;
  });

  it('acts for each of two users at once with a token that is for it, got by their own sign-ins', async () => {
    const [alice, bob] = [await e.signIn('alice'), await e.signIn('bob')];
    const before = counts(e);
    const calls = Array.from({ length: 20 }, (_, at) => e.call((at % 2 === 0 ? alice : bob).token));
    const users = (await Promise.all(calls)).map(userIn);
    for (const [at, user] of users.entries()) assert.equal(user, at % 2 === 0 ? '00u1alice' : '00u2bob');
    assert.equal(counts(e) - before, 2, 'one exchange for each of them');
    for (const token of e.api.seen.slice(-20)) {
      const { aud, azp } = decodeJwt(token);
      assert.deepEqual({ aud, azp }, { aud: e.api.audience, azp: 'exchanger' });
    }
  });

  it('is given another token before the one that there is ends', async () => {
    const { token } = await e.signIn('alice');
    await e.call(token);
    const before = counts(e);
    e.pass(400_000);
    assert.equal(userIn(await e.call(token)), '00u1alice');
    assert.equal(counts(e), before);
    e.pass(150_000);
    assert.equal(userIn(await e.call(token)), '00u1alice');
    assert.equal(counts(e), before + 1);
  });

  it('goes on with what there is while the issuer is down, and says so once that has ended', async () => {
    const { token } = await e.signIn('alice');
    await e.call(token);
    e.idp.exchange.error = { status: 503, error: 'temporarily_unavailable' };
    e.pass(550_000);
    assert.equal(userIn(await e.call(token)), '00u1alice');
    e.pass(60_000);
    assert.match(textOf(await e.call(token)), /credentials\.provider_unavailable/);
    e.idp.exchange.error = null;
    e.pass(5_000);
    assert.equal(userIn(await e.call(token)), '00u1alice');
  });

  it('is refused at once when the sign-in has ended', async () => {
    const { token, signInId } = await e.signIn('alice');
    assert.equal(userIn(await e.call(token)), '00u1alice');
    await e.app.app.rooms.identity.signIns.end(signInId);
    const headers = { authorization: `Bearer ${token}` };
    const params = { name: 'Acting_Read', arguments: {} };
    const answer = await e.app.rpc('main', { id: 1, method: 'tools/call', params }, headers);
    assert.equal(answer.status, 401);
    const [row] = await e.app.app.rooms.db.query('select tokens_sealed from sign_ins where id = $1', [
      signInId,
    ]);
    assert.equal(row?.tokens_sealed, '');
  });

  it('tells somebody with an API key that a sign-in is wanted, and asks the issuer nothing', async () => {
    const before = counts(e);
    const message = { id: 1, method: 'tools/call', params: { name: 'Acting_Read', arguments: {} } };
    const { result } = (await (await e.app.rpc('main', message)).json()) as Json;
    assert.match(
      textOf(result),
      /credentials\.not_configured.*own sign-in|own sign-in.*credentials\.not_configured/,
    );
    assert.equal(counts(e), before);
  });

  it('acts for a person who calls over the API, and for nobody else', async () => {
    const { apiToken, personId } = await e.signIn('alice');
    const { people } = e.app.app.rooms.identity;
    await people.setRole(personId, { organizationId: 'default', projectId: 'default' }, 'member');
    const execute = async (headers: Record<string, string>) => {
      const answer = await fetch(`${e.app.url}/v1/tools/execute`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ tool_name: 'Acting.Read', input: {}, user_id: 'alice@example.com' }),
      });
      return JSON.stringify(await answer.json());
    };
    assert.match(await execute({ authorization: `Bearer ${apiToken}` }), /00u1alice/);
    assert.match(await execute({ authorization: `Bearer ${e.app.key}` }), /own sign-in/);
  });

  it('needs no authorization that a client could ask for', async () => {
    const asked = await e.app.api('POST', '/v1/auth/authorize', {
      ...{ auth_requirement: { id: 'internal' }, user_id: 'alice@example.com' },
    });
    const answer = (await asked.json()) as Json;
    assert.equal(asked.status, 200, JSON.stringify(answer));
    assert.equal(answer.status, 'completed');
    const tool = { tool_name: 'Acting.Read', user_id: 'alice@example.com' };
    const forTool = (await (await e.app.api('POST', '/v1/tools/authorize', tool)).json()) as Json;
    assert.equal(forTool.status, 'completed', JSON.stringify(forTool));
  });

  for (const [error, code] of [
    ['invalid_client', 'credentials.not_configured'],
    ['invalid_target', 'credentials.not_configured'],
    ['access_denied', 'credentials.not_configured'],
    ['invalid_grant', 'credentials.consent_required'],
    ['interaction_required', 'credentials.consent_required'],
    ['server_error', 'credentials.provider_unavailable'],
  ] as const) {
    it(`is refused with ${code} where the issuer answers ${error}`, async () => {
      const { token } = await e.signIn('bob');
      e.idp.exchange.error = { status: 400, error, error_description: 'words of the issuer' };
      const told = textOf(await e.call(token));
      assert.ok(told.includes(code), told);
      assert.ok(!told.includes('words of the issuer'));
    });
  }

  it('works once the user has signed in again at the address that was told', async () => {
    const { token, signInId } = await e.signIn('alice');
    await e.app.app.rooms.db.query(`update sign_ins set tokens_sealed = ''`);
    const refused = refusalIn(await e.call(token));
    const url = refused._meta.authorization_url;
    assert.equal(url, `${e.app.url}/oauth2/sign_in/default/corp`);
    await e.signIn('bob');
    refusalIn(await e.call(token));
    const again = await e.signIn('alice');
    assert.notEqual(again.signInId, signInId);
    assert.equal(userIn(await e.call(token)), '00u1alice');
    await e.app.app.rooms.identity.signIns.end(again.signInId);
    refusalIn(await e.call(token));
  });
});

describe('a project that exchanges nothing', () => {
  it('keeps no token of a sign-in', async () => {
    const e = await startExchanging({ config: () => ({ auth_providers: [] }) });
    try {
      const { signInId } = await e.signIn('alice');
      const [row] = await e.app.app.rooms.db.query('select tokens_sealed from sign_ins where id = $1', [
        signInId,
      ]);
      assert.equal(row?.tokens_sealed, '');
    } finally {
      await e.close();
    }
  });
});

describe('a project that exchanges nothing any more', () => {
  it('forgets the tokens of sign-ins when somebody signs in next', async () => {
    const e = await startExchanging();
    try {
      const { signInId } = await e.signIn('alice');
      const kept = async () => {
        const [row] = await e.app.app.rooms.db.query('select tokens_sealed from sign_ins where id = $1', [
          signInId,
        ]);
        return row?.tokens_sealed;
      };
      assert.notEqual(await kept(), '');
      e.app.app.rooms.credentials.providers.applyFile('default', []);
      await e.signIn('bob');
      assert.equal(await kept(), '');
    } finally {
      await e.close();
    }
  });
});

describe('the tokens of a sign-in', () => {
  let e: Exchanging;
  before(async () => {
    e = await startExchanging({
      settings: ({ clientId, clientSecret }) => ({
        ...{ subject_token: 'id_token', auth_method: 'client_secret_post' },
        ...{ client_id: clientId, client_secret: clientSecret },
      }),
    });
  });
  after(() => e.close());

  /** As the metrics tell them. */
  async function refreshes(outcome: string): Promise<number> {
    const read = await e.app.app.rooms.telemetry.metrics.read();
    const { series = [] } = read.find(({ name }) => name === 'sallyport_sign_in_refreshes_total') ?? {};
    return series.find(({ values }) => values[2] === outcome)?.value ?? 0;
  }

  it('are renewed once for a hundred calls at once, when the ID token is over', async () => {
    const { token } = await e.signIn('alice');
    assert.equal(userIn(await e.call(token)), '00u1alice');
    e.pass(1.5 * hour);
    const [renewals, exchanges] = [e.idp.asked.token, counts(e)];
    const counted = await refreshes('renewed');
    const results = await Promise.all(Array.from({ length: 100 }, () => e.call(token)));
    for (const result of results) assert.equal(userIn(result), '00u1alice');
    assert.equal(counts(e) - exchanges, 1);
    assert.equal(e.idp.asked.token - renewals, 2, 'one renewal and one exchange');
    assert.equal((await refreshes('renewed')) - counted, 1);
  });

  it('are renewed once, whoever asks, on whichever replica', async () => {
    const { signInId } = await e.signIn('bob');
    e.pass(1.5 * hour);
    const { identity, ...rooms } = e.app.app.rooms;
    const issuer = () => e.app.url;
    const deps = { ...rooms, clock: e.clock, log: silentLog, issuer, exchangesTokens: () => true };
    const other = await createIdentity(deps);
    other.userSources.applyFile('default', identity.userSources.list('default'));
    const before = e.idp.asked.token;
    const asked = Array.from({ length: 100 }, (_, at) =>
      (at % 2 === 0 ? identity : other).signIns.subjectToken(signInId, 'id_token'),
    );
    const tokens = new Set((await Promise.all(asked)).map((one) => (one.ok ? one.value?.token : 'none')));
    assert.equal(tokens.size, 1);
    assert.equal(decodeJwt([...tokens][0] as string).sub, '00u2bob');
    assert.equal(e.idp.asked.token - before, 1);
  });

  it('are no more where the issuer does not renew them: the user signs in again', async () => {
    const { token, signInId } = await e.signIn('alice');
    await e.app.app.rooms.db.query('update sign_ins set tokens_sealed = $1 where id <> $2', ['', signInId]);
    e.pass(1.5 * hour);
    e.idp.knobs.tokenError = { error: 'invalid_grant' };
    const told = textOf(await e.call(token));
    delete e.idp.knobs.tokenError;
    assert.match(told, /credentials\.consent_required/);
    const [row] = await e.app.app.rooms.db.query('select tokens_sealed from sign_ins where id = $1', [
      signInId,
    ]);
    assert.equal(row?.tokens_sealed, '');
    assert.equal(await refreshes('sign_in'), 1);
  });

  it('are not taken where a renewal names somebody else', async () => {
    const { token, signInId } = await e.signIn('alice');
    await e.app.app.rooms.db.query('update sign_ins set tokens_sealed = $1 where id <> $2', ['', signInId]);
    e.pass(1.5 * hour);
    const { tokenClaims } = e.idp.knobs;
    e.idp.knobs.tokenClaims = { ...tokenClaims, sub: '00u2bob' };
    const [told, exchanges] = [textOf(await e.call(token)), counts(e)];
    e.idp.knobs.tokenClaims = tokenClaims ?? {};
    assert.match(told, /credentials\.consent_required/);
    assert.equal(counts(e), exchanges);
  });

  it('serve no other project than that of the sign-in', async () => {
    const { token } = await e.signIn('alice');
    const { subjects } = e.app.app.rooms.identity;
    const caller = await e.enter(token);
    assert.equal((await subjects.token(caller, 'default', 'id_token')).ok, true);
    const elsewhere = await subjects.token(caller, 'another', 'id_token');
    assert.equal(elsewhere.ok ? '' : elsewhere.error.kind, 'broken');
    assert.equal(await subjects.sourceOf(caller, 'another'), null);
  });

  it('are nowhere in the data directory, in the audit or in an answer', async () => {
    const { token } = await e.signIn('bob');
    assert.equal(userIn(await e.call(token)), '00u2bob');
    const secrets = [...e.idp.given, ...e.idp.exchange.given, e.idp.clientSecret];
    assert.ok(secrets.length > 5);
    const texts = [...filesIn(e.app.dataDir)].filter(([path]) => !path.endsWith('sallyport.yaml'));
    const rows = await e.app.app.rooms.db.query('select * from sign_ins');
    const kept = [JSON.stringify(await e.app.records()), JSON.stringify(rows)];
    for (const secret of secrets) {
      for (const [path, bytes] of texts) assert.ok(!bytes.includes(secret), `${path} holds a token`);
      for (const text of kept) assert.ok(!text.includes(secret));
    }
  });
});

function* filesIn(directory: string): Iterable<[string, Buffer]> {
  for (const name of readdirSync(directory, { recursive: true })) {
    const path = join(directory, String(name));
    if (statSync(path).isFile()) yield [path, readFileSync(path)];
  }
}

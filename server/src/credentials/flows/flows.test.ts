import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { type StandIn, startPlain } from '../../../test/oauth-providers/index.ts';
import type { Target } from '../authority.ts';
import {
  answerTo,
  askedIn,
  attach,
  browser,
  connect,
  consent,
  createWorld,
  person,
  type Replica,
  register,
  tokenIn,
  tokenOfUrl,
  toolFor,
  userOfKey,
  type World,
} from '../fixtures/world.ts';
import type { Authorization } from './contract.ts';

const whom = { projectId: 'default', userId: 'ada', personId: null };

describe('a consent', () => {
  let world: World;
  let mail: StandIn;
  let credentials: Replica;
  let target: Target;
  const ada = userOfKey('ada');
  const tool = toolFor('mail', ['read']);

  before(async () => {
    world = await createWorld();
  });
  after(() => world.close());
  beforeEach(async () => {
    mail = await startPlain({ now: world.time.now });
    credentials = await world.replica();
    target = await register(credentials, mail, { id: 'mail' });
  });
  afterEach(async () => {
    await world.reset();
    await mail.close();
  });

  const ask = async () => askedIn(await attach(credentials, ada, tool));
  const finish = (answer: URL, at = browser('cookie'), where = target) =>
    credentials.consents.finish(where, answer.searchParams, at);
  async function statusOf(id: string): Promise<Authorization> {
    const status = await credentials.authorizations.status('default', id, 0, null);
    assert.ok(status !== null);
    return status;
  }
  /** As the API asks. */
  async function authorize(scopes: readonly string[] = ['read'], nextUri: string | null = null) {
    const requirement = { id: 'mail', providerId: null, scopes };
    const begun = await credentials.authorizations.authorize(whom, { requirement, nextUri });
    assert.ok(begun.ok, JSON.stringify(begun));
    return begun.value;
  }
  const nothingKept = async () =>
    assert.deepEqual(
      [await world.db.query('select id from connections'), mail.asked.user_info],
      [[], 0],
      'nothing is kept, and no token was used',
    );

  it('is the same one for whoever asks for the same while it is pending, opened or not, on every replica', async () => {
    const first = await ask();
    const other = await world.replica();
    const [second, third] = await Promise.all([attach(other, ada, tool), authorize()]);
    assert.deepEqual([askedIn(second).url, third.url], [first.url, first.url]);
    await answerTo(credentials, first.url, { as: 'ann' });
    assert.equal((await ask()).id, first.id);
    assert.notEqual((await authorize(['read', 'send'])).id, first.id);
    assert.notEqual((await authorize(['read'], 'https://app.example/')).id, first.id);
    const asked = world.events.filter(({ kind }) => kind === 'asked');
    assert.equal(asked.length, 3);
  });

  it('is that of the browser that opened it last; an earlier answer is refused, and ends nothing', async () => {
    const { url, id } = await ask();
    const early = await answerTo(credentials, url, { as: 'eve', at: browser('early') });
    const late = await answerTo(credentials, url, { as: 'ann', at: browser('late') });
    assert.notEqual(early.searchParams.get('state'), late.searchParams.get('state'));
    const refused = await finish(early, browser('early'));
    assert.equal(refused.ok ? null : refused.error.kind, 'unknown');
    assert.equal((await statusOf(id)).status, 'pending');
    assert.ok((await finish(late, browser('late'))).ok);
    assert.equal(mail.grantOf(tokenIn(await attach(credentials, ada, tool)))?.user.login, 'ann');
  });

  it('keeps nothing of an answer without the cookie, and has failed', async () => {
    const { url, id } = await ask();
    const answer = await answerTo(credentials, url, { as: 'ann' });
    const refused = await finish(answer, browser('another'));
    assert.equal(refused.ok ? null : refused.error.kind, 'other_browser');
    assert.equal((await statusOf(id)).failure?.code, 'browser_mismatch');
    assert.ok(!(await finish(answer)).ok);
    await nothingKept();
  });

  it('keeps nothing of an answer with a foreign state', async () => {
    const { url, id } = await ask();
    const answer = await answerTo(credentials, url, { as: 'ann' });
    answer.searchParams.set('state', 'x'.repeat(43));
    const refused = await finish(answer);
    assert.equal(refused.ok ? null : refused.error.kind, 'unknown');
    assert.equal((await statusOf(id)).status, 'pending');
    await nothingKept();
  });

  it('takes its answer once, however often it is brought', async () => {
    const { url } = await ask();
    const answer = await answerTo(credentials, url, { as: 'ann' });
    const all = await Promise.all(Array.from({ length: 5 }, () => finish(answer)));
    assert.equal(all.filter(({ ok }) => ok).length, 1);
    assert.equal(mail.asked.token, 1);
  });

  it('keeps nothing of a code that comes to the callback of another provider, and has failed', async () => {
    const evil = await startPlain({ now: world.time.now });
    try {
      const elsewhere = await register(credentials, evil, { id: 'evil' });
      const { url, id } = await ask();
      const answer = await answerTo(credentials, url, { as: 'ann' });
      const refused = await finish(answer, browser('cookie'), elsewhere);
      assert.equal(refused.ok ? null : refused.error.kind, 'failed');
      assert.equal((await statusOf(id)).failure?.code, 'answer_invalid');
      assert.deepEqual([mail.asked.token, evil.asked.token], [0, 0]);
      await nothingKept();
    } finally {
      await evil.close();
    }
  });

  it('keeps nothing of a code of another consent, whoever injects it', async () => {
    const { url, id } = await ask();
    const eves = askedIn(await attach(credentials, userOfKey('eve'), tool));
    const stolen = await answerTo(credentials, url, { as: 'ann', at: browser('ann') });
    const own = await answerTo(credentials, eves.url, { as: 'eve', at: browser('eve') });
    own.searchParams.set('code', stolen.searchParams.get('code') ?? '');
    const refused = await finish(own, browser('eve'));
    assert.equal(refused.ok ? null : refused.error.kind, 'failed');
    assert.deepEqual(
      [(await statusOf(eves.id)).failure?.code, (await statusOf(id)).status],
      ['invalid_grant', 'pending'],
    );
    await nothingKept();
  });

  it('of another project is unknown here', async () => {
    const { id } = await ask();
    assert.equal(await credentials.authorizations.status('other', id, 0, null), null);
  });

  it('that the user denied has failed with its code and advice, which is told once', async () => {
    const { url, id } = await ask();
    const answer = await answerTo(credentials, url, { as: 'ann', allow: false });
    const refused = await finish(answer);
    assert.equal(refused.ok ? null : refused.error.kind, 'failed');
    const { status, failure, wasTold } = await statusOf(id);
    assert.deepEqual([status, failure?.code, wasTold], ['failed', 'access_denied', false]);
    assert.ok(failure?.reason !== '' && failure?.advice !== '');
    await credentials.authorizations.told('default', id);
    assert.equal((await statusOf(id)).wasTold, true);
    const { kind, code } = world.events.at(-1) ?? {};
    assert.deepEqual([kind, code], ['failed', 'access_denied']);
    const [failed] = await credentials.consents.failedLately('default', { userIds: ['ada'] });
    assert.equal(failed?.id, id);
  });

  it('whose provider fails in any way ends as failed, and says what to mend', async () => {
    const ways: [string, () => void][] = [
      ['invalid_client', () => Object.assign(mail, { refuseClient: true })],
      ['provider_unavailable', () => Object.assign(mail, { outage: true })],
    ];
    for (const [code, change] of ways) {
      Object.assign(mail, { outage: false, refuseClient: false });
      const { url, id } = await ask();
      const answer = await answerTo(credentials, url, { as: 'ann' });
      change();
      await finish(answer);
      const { status, failure } = await statusOf(id);
      assert.equal(status, 'failed');
      assert.equal(failure?.code, code, JSON.stringify(failure));
    }
    await nothingKept();
  });

  it('is over after ten minutes: seen by who looks, and swept up without', async () => {
    const looked = await ask();
    const opened = await answerTo(credentials, looked.url, { as: 'ann' });
    world.time.advance(10 * 60_000);
    assert.equal((await statusOf(looked.id)).failure?.code, 'expired');
    assert.ok(!(await finish(opened)).ok);
    await nothingKept();
    const swept = await ask();
    const sweeping = await world.replica({ clock: world.time });
    world.time.advance(10 * 60_000 + 30_000);
    const statusIn = async () =>
      (await world.db.query('select status from connection_flows where id = $1', [swept.id]))[0]?.status;
    while ((await statusIn()) !== 'failed') await world.db.query('select 1');
    const expired = world.events.filter(({ kind }) => kind === 'expired');
    assert.deepEqual(
      expired.map(({ id }) => id),
      [looked.id, swept.id],
    );
    sweeping.close();
  });

  it('that is answered in its last second is not over while the provider is asked', async () => {
    const { id, url } = await ask();
    const answer = await answerTo(credentials, url, { as: 'ann' });
    const slow = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<void>();
    mail.before = ({ place }) => {
      if (place !== 'token') return;
      asked.resolve();
      return slow.promise;
    };
    world.time.advance(10 * 60_000 - 1);
    const finishing = finish(answer);
    await asked.promise;
    world.time.advance(20_000);
    assert.equal((await statusOf(id)).status, 'pending');
    slow.resolve();
    assert.ok((await finishing).ok);
    assert.equal((await statusOf(id)).status, 'completed');
  });

  it('leads on to where the asker wants the browser', async () => {
    const { url } = await authorize(['read'], 'https://app.example/done?x=1');
    const finished = await consent(credentials, target, url ?? '', 'ann');
    assert.equal(finished.ok && finished.value.goOn, 'https://app.example/done?x=1');
    assert.equal((await authorize()).status, 'completed');
  });

  it('gives its token out once completed, and no more where it was revoked', async () => {
    const { id, url } = await authorize();
    assert.ok((await consent(credentials, target, url ?? '', 'ann')).ok);
    for (const authorization of [await statusOf(id), await authorize()]) {
      const given = await credentials.authorizations.token(authorization);
      assert.equal(given.ok && mail.grantOf(given.value.token)?.user.login, 'ann');
      assert.deepEqual(await statusOf(authorization.id), { ...authorization, id: authorization.id });
    }
    const [one] = await credentials.connections.list('default', {});
    assert.deepEqual(await credentials.connections.revoke('default', one?.id ?? ''), {
      ok: true,
      value: { atProvider: 'revoked', reason: null },
    });
    assert.equal(mail.liveGrants('ann').length, 0);
    const gone = await credentials.authorizations.token(await statusOf(id));
    assert.equal(gone.ok ? null : gone.error.code, 'credentials.consent_required');
    askedIn(await attach(credentials, ada, tool));
  });

  it('says for lists of tools how it is with each', async () => {
    await credentials.authorizations.authorize(whom, {
      requirement: { id: 'mail', providerId: null, scopes: ['read'] },
      nextUri: null,
    });
    const requirements = [['read'], ['send']].map((scopes) => ({ id: 'mail', providerId: null, scopes }));
    const statuses = await credentials.authorizations.statuses(whom, requirements);
    assert.deepEqual(
      statuses.map((one) => one.ok && one.value),
      ['pending', 'not_started'],
    );
    const peek = {
      requirement: { id: 'mail', providerId: null, scopes: ['send'] },
      nextUri: null,
      peek: true,
    };
    const peeked = await credentials.authorizations.authorize(whom, peek as never);
    assert.deepEqual(peeked.ok && [peeked.value.id, peeked.value.status], ['', 'not_started']);
  });

  it('does not say for lists of tools that a token serves that is over and cannot be renewed', async () => {
    mail.change = (answer, { place }) => {
      if (place !== 'token') return answer;
      const { refresh_token: _, ...body } = JSON.parse(answer.body);
      return { ...answer, body: JSON.stringify(body) };
    };
    const status = async () =>
      (await credentials.authorizations.statuses(whom, [{ id: 'mail', providerId: null, scopes: [] }])).at(0);
    await connect(credentials, target, { caller: ada, as: 'ann' });
    assert.deepEqual(await status(), { ok: true, value: 'completed' });
    world.time.advance(3_600_000);
    assert.deepEqual(await status(), { ok: true, value: 'not_started' });
    await ask();
  });

  describe('and who is at the browser', () => {
    const isUser = (_projectId: string, userId: string) => userId === 'ada';
    const look = async (url: string, at = browser('cookie')) =>
      credentials.consents.look(tokenOfUrl(url), at);

    it('a person who was asked is signed in as the same', async () => {
      const caller = person('ada', 'usr_1');
      const { url, id } = askedIn(await attach(credentials, caller, tool));
      const kinds = [browser('c'), browser('c', { id: 'usr_2', isUser })].map((at) => look(url, at));
      assert.deepEqual(
        (await Promise.all(kinds)).map((one) => (one.ok ? null : one.error.kind)),
        ['sign_in', 'other_person'],
      );
      const own = browser('c', { id: 'usr_1', isUser });
      const looked = await look(url, own);
      assert.equal(looked.ok && looked.value.isSure, true);
      const answer = await answerTo(credentials, url, { as: 'ann', at: own });
      const refused = await finish(answer, browser('c', { id: 'usr_2', isUser }));
      assert.equal(refused.ok ? null : refused.error.kind, 'other_person');
      assert.equal((await statusOf(id)).failure?.code, 'user_mismatch');
      await nothingKept();
    });

    it('of a user of a key: a session of theirs is proof, one of somebody else is refused, none is asked', async () => {
      const { url } = await ask();
      const looks = [
        browser('c'),
        browser('c', { id: 'usr_1', isUser }),
        browser('c', { id: 'usr_2', isUser: () => false }),
      ].map(async (at) => {
        const looked = await look(url, at);
        return looked.ok ? looked.value.isSure : looked.error.kind;
      });
      assert.deepEqual(await Promise.all(looks), [false, true, 'other_person']);
      const settings = { verifierUrl: null, unsafeSkipVerification: true };
      await credentials.authorizations.verification.put('default', settings);
      const skipped = await look(url);
      assert.equal(skipped.ok && skipped.value.isSure, true);
    });

    it("the project's own verifier says it: until then the tokens wait sealed, and serve nobody", async () => {
      const settings = { verifierUrl: 'https://app.example/verify?a=b', unsafeSkipVerification: false };
      await credentials.authorizations.verification.put('default', settings);
      const { url, id } = await authorize(['read'], 'https://app.example/next');
      const flowIdOf = async (address: string) => {
        const finished = await consent(credentials, target, address, 'ann');
        assert.ok(finished.ok && finished.value.goOn !== null);
        const goOn = new URL(finished.value.goOn);
        assert.equal(goOn.searchParams.get('a'), 'b');
        return goOn.searchParams.get('flow_id') ?? '';
      };
      const flowId = await flowIdOf(url ?? '');
      assert.equal((await statusOf(id)).status, 'pending');
      assert.deepEqual(await world.db.query('select id from connections'), []);
      const elsewhere = await credentials.authorizations.confirmUser('other', flowId, 'ada');
      assert.equal(elsewhere.ok ? null : elsewhere.error.code, 'resource.unknown');
      const confirmed = await credentials.authorizations.confirmUser('default', flowId, 'ada');
      assert.deepEqual(confirmed, { ok: true, value: { authId: id, nextUri: 'https://app.example/next' } });
      assert.equal((await statusOf(id)).status, 'completed');
      assert.deepEqual(await credentials.authorizations.confirmUser('default', flowId, 'ada'), confirmed);
      assert.ok(!(await credentials.authorizations.confirmUser('default', flowId, 'eve')).ok);
      assert.equal((await statusOf(id)).status, 'completed', 'whoever says something else afterwards');

      const more = await authorize(['send']);
      const other = await flowIdOf(more.url ?? '');
      const mismatch = await credentials.authorizations.confirmUser('default', other, 'eve');
      assert.equal(mismatch.ok ? null : mismatch.error.code, 'credentials.user_mismatch');
      assert.equal((await statusOf(more.id)).failure?.code, 'user_mismatch');

      const late = await authorize(['send']);
      const lateId = await flowIdOf(late.url ?? '');
      world.time.advance(10 * 60_000);
      const over = await credentials.authorizations.confirmUser('default', lateId, 'ada');
      assert.equal(over.ok ? null : over.error.code, 'credentials.authorization_failed');
      const rows = await world.db.query('select distinct sealed from connection_flows');
      assert.deepEqual(rows, [{ sealed: '' }], 'nothing is left of what waited');
    });

    it('the verifier may say it twice at once: it is taken once, and nothing is said to have failed', async () => {
      const settings = { verifierUrl: 'https://app.example/verify', unsafeSkipVerification: false };
      await credentials.authorizations.verification.put('default', settings);
      const { url, id } = await authorize();
      const answer = await answerTo(credentials, url ?? '', { as: 'ann' });
      // The last moment is late enough.
      world.time.advance(10 * 60_000 - 1);
      const finished = await finish(answer);
      assert.ok(finished.ok);
      world.time.advance(20_000);
      const flowId = new URL(finished.value.goOn ?? '').searchParams.get('flow_id') ?? '';
      const confirm = () => credentials.authorizations.confirmUser('default', flowId, 'ada');
      const said = await Promise.all([confirm(), confirm(), confirm()]);
      for (const one of said) assert.deepEqual(one.ok && one.value.authId, id);
      assert.equal((await statusOf(id)).status, 'completed');
      assert.equal((await world.db.query('select id from connections')).length, 1);
    });

    it('a verifier can be tried out', async () => {
      const made = await credentials.authorizations.testVerifier(whom, 'http://localhost:1/verify');
      assert.ok(made.ok && made.value.nextUri.endsWith(`?flow_id=${made.value.flowId}`));
      const confirmed = await credentials.authorizations.confirmUser('default', made.value.flowId, 'ada');
      assert.ok(confirmed.ok);
      await credentials.authorizations.testVerifier(whom, 'http://localhost:1/verify');
      world.time.advance(10 * 60_000);
      const sweeping = await world.replica({ clock: world.time });
      world.time.advance(30_000);
      const waiting = "select id from connection_flows where status = 'verifying'";
      while ((await world.db.query(waiting)).length > 0);
      assert.deepEqual(await credentials.consents.failedLately('default', {}), [], 'no consent of a user');
      sweeping.close();
      await nothingKept();
    });
  });
});

describe('a consent to what a user enters', () => {
  let world: World;
  before(async () => {
    world = await createWorld();
  });
  after(() => world.close());

  it('may be entered again where it was wrong, and is kept once right', async () => {
    const credentials = await world.replica();
    const request = { id: 'keys', type: 'api_key' } as const;
    const made = await credentials.providers.create('default', request);
    assert.ok(made.ok, JSON.stringify(made));
    const { url } = askedIn(await attach(credentials, userOfKey('ada'), toolFor('keys')));
    const at = browser('cookie');
    const looked = await credentials.consents.look(tokenOfUrl(url), at);
    const field = looked.ok ? looked.value.entry?.fields[0]?.name : undefined;
    assert.ok(field !== undefined, JSON.stringify(looked));
    const enter = (value: string) =>
      credentials.consents.enter(tokenOfUrl(url), at, { [field]: value }, 'cookie');
    const wrong = await enter('');
    assert.equal(wrong.ok ? null : wrong.error.kind, 'refused');
    const right = await enter('key-of-ada');
    assert.ok(right.ok, JSON.stringify(right));
    assert.equal(tokenIn(await attach(credentials, userOfKey('ada'), toolFor('keys'))), 'key-of-ada');
    const again = await enter('key-of-eve');
    assert.equal(again.ok ? null : again.error.kind, 'completed');
  });
});

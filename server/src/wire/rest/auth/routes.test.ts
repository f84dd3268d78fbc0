import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { saidByLink, signIn, tokenFor } from '../../../../test/access-token.ts';
import { createBrowser } from '../../../../test/browser.ts';
import { consentAt } from '../../../../test/oauth-providers/index.ts';
import { type MailWorld, readScope, sendScope, startMailWorld } from '../fixtures/mail-world.ts';
import type { Asked } from '../fixtures/rest-server.ts';

let world: MailWorld;
/** May call, and nothing else. */
let key: string;
const verifierUrl = 'http://127.0.0.1:9/verify';
const nextUri = 'http://127.0.0.1:9/next?a=b';

before(async () => {
  world = await startMailWorld();
  key = await world.server.newKey({ name: 'calls', scopes: ['call'] });
});
after(() => world?.close());

let users = 0;
const newUser = () => `user-${++users}@example.com`;

const post = (path: string, body: object, as = key) => world.server.ask('POST', path, { key: as, body });
const authorize = (user_id: string, more: object = {}, as = key): Promise<Asked> =>
  post(
    '/v1/auth/authorize',
    { auth_requirement: { provider_id: 'google', oauth2: { scopes: [readScope] } }, user_id, ...more },
    as,
  );
const status = (id: string, as = key, wait = 0): Promise<Asked> =>
  world.server.ask('GET', `/v1/auth/status?id=${id}&wait=${wait}`, { key: as });

async function consented(user_id: string, login: string): Promise<Asked['body']> {
  const { body } = await authorize(user_id);
  await consentAt(body.url, { as: login, allow: true });
  return (await status(body.id)).body;
}

async function person(email: string, role: 'member' | 'admin' = 'member'): Promise<string> {
  const { identity } = world.server.app.rooms;
  const who = await signIn(identity, saidByLink(email), role);
  return `Bearer ${await tokenFor(identity, who, null, { issuer: world.server.url })}`;
}

async function records(query: string): Promise<Asked['body'][]> {
  return (await world.server.ask('GET', `/v1/audit_events?limit=100&${query}`)).body.items;
}

describe('an authorization', () => {
  it('is asked for with a bare key, as Python does, and with "Bearer"', async () => {
    for (const as of [key, `Bearer ${key}`]) {
      const { status: code, body } = await authorize(newUser(), {}, as);
      assert.equal(code, 200, JSON.stringify(body));
      assert.match(body.id, /^ac_/);
      assert.deepEqual([body.status, body.provider_id, body.scopes], ['pending', 'google', [readScope]]);
      assert.equal('context' in body, false);
    }
  });

  it('takes the browser back to the application that asked', async () => {
    const { body } = await authorize(newUser(), { next_uri: nextUri });
    const page = await consentAt(body.url, { as: 'ann', allow: true, stopAt: 'http://127.0.0.1:9/' });
    assert.equal(new URL(page.url).origin + new URL(page.url).pathname, 'http://127.0.0.1:9/next');
    assert.equal(new URL(page.url).searchParams.get('a'), 'b');
  });

  it('leads nowhere but to pages of the web', async () => {
    for (const next_uri of [
      'javascript:alert(1)',
      'JavaScript://example.com/%0Aalert(1)',
      ' https://example.com',
      'java\nscript:alert(1)',
      'data:text/html,x',
      'file:///etc/passwd',
      'ftp://example.com',
      '/relative',
      '//example.com',
      'https://user:pw@example.com',
      `https://example.com/${'a'.repeat(2100)}`,
    ]) {
      for (const asked of [
        await authorize(newUser(), { next_uri }),
        await post('/v1/tools/authorize', { tool_name: 'Mail.Whoami', user_id: newUser(), next_uri }),
      ]) {
        assert.deepEqual(
          [asked.status, asked.body.name, asked.body.field],
          [400, 'request.params_invalid', 'next_uri'],
        );
      }
    }
  });

  it('names a provider, and one that is there', async () => {
    const without = await authorize('ann', { auth_requirement: { oauth2: { scopes: [] } } });
    assert.deepEqual([without.status, without.body.field], [400, 'auth_requirement']);
    const scopes = ['read', 'read write'];
    const twoInOne = await authorize('ann', { auth_requirement: { id: 'google', oauth2: { scopes } } });
    assert.deepEqual([twoInOne.status, twoInOne.body.field], [400, 'auth_requirement.oauth2.scopes.1']);
    const unknown = await authorize('ann', { auth_requirement: { provider_id: 'github' } });
    assert.deepEqual([unknown.status, unknown.body.name], [403, 'credentials.not_configured']);
    assert.match(unknown.body.message, /GitHub is not set up here/);
    const noTool = await post('/v1/tools/authorize', { tool_name: 'Mail.Nope', user_id: 'ann' });
    assert.deepEqual([noTool.status, noTool.body.field], [404, 'tool_name']);
    const noUser = await post('/v1/tools/authorize', { tool_name: 'Mail.Whoami' });
    assert.deepEqual([noUser.status, noUser.body.name], [400, 'identity.user_missing']);
  });

  it('takes null for what is left out, as Python says it', async () => {
    const user_id = newUser();
    const oauth2 = { scopes: [readScope] };
    const auth_requirement = { id: null, provider_id: 'google', provider_type: null, oauth2 };
    const { body } = await post('/v1/auth/authorize', { auth_requirement, user_id, next_uri: null });
    assert.equal(body.status, 'pending', JSON.stringify(body));
    const tool = { tool_name: 'Mail.Whoami', tool_version: null };
    const byTool = await post('/v1/tools/authorize', { ...tool, user_id, next_uri: null });
    assert.deepEqual([byTool.status, byTool.body.id], [200, body.id]);
    const reader = await world.server.newKey({ name: 'reads nulls', scopes: ['read'] });
    const asked = { tools: [tool], tool_names: null, user_id, authorize: null };
    const { status: code, body: needed } = await post('/v1/tools/requirements', asked, reader);
    assert.deepEqual([code, needed.authorization.items.google?.token_status], [200, 'pending']);
    const neither = await authorize('ann', { auth_requirement: { id: null, provider_id: null } });
    assert.deepEqual([neither.status, neither.body.field], [400, 'auth_requirement']);
  });

  it('that failed is told once as a status, with what mends it, and then refused', async () => {
    const { body } = await authorize(newUser());
    await consentAt(body.url, { as: 'ann', allow: false });
    const told = await status(body.id);
    assert.deepEqual([told.status, told.body.status, told.body.error.code], [200, 'failed', 'access_denied']);
    assert.ok(told.body.error.message.length > 0);
    assert.equal('url' in told.body, false);
    for (let again = 0; again < 2; again++) {
      const refused = await status(body.id);
      assert.deepEqual([refused.status, refused.body.name], [400, 'credentials.authorization_failed']);
      assert.equal(refused.headers.get('x-should-retry'), 'false');
      assert.equal(refused.body.details.code, 'access_denied');
    }
  });

  it('begins anew after it failed', async () => {
    const user = newUser();
    const { body: first } = await authorize(user);
    await consentAt(first.url, { as: 'ann', allow: false });
    const { body: second } = await authorize(user);
    assert.equal(second.status, 'pending');
    assert.notEqual(second.id, first.id);
  });

  it('is told to who waits, as soon as it ends; who went away before was not told', async () => {
    const { body } = await authorize(newUser());
    const gone = new AbortController();
    const left = fetch(`${world.server.url}/v1/auth/status?id=${body.id}&wait=59`, {
      headers: { authorization: key },
      signal: gone.signal,
    });
    left.catch(() => {});
    const waits = status(body.id, key, 59);
    gone.abort();
    await assert.rejects(left, { name: 'AbortError' });
    await consentAt(body.url, { as: 'ann', allow: false });
    assert.equal((await waits).body.status, 'failed');
  });

  it('is told to each of a hundred who wait, who keep nobody else from being answered', async () => {
    const { body } = await authorize(newUser());
    const waiting = Array.from({ length: 100 }, () => status(body.id, key, 59));
    assert.equal((await authorize(newUser())).body.status, 'pending');
    await consentAt(body.url, { as: 'ann', allow: true });
    const told = await Promise.all(waiting);
    assert.deepEqual(new Set(told.map((one) => one.body.status)), new Set(['completed']));
    assert.equal(new Set(told.map((one) => one.body.context.token)).size, 1);
  });

  it('that is nowhere is unknown, and a wait that is no number is refused', async () => {
    const unknown = await status('ac_nothing', key, 59);
    assert.deepEqual([unknown.status, unknown.body.name], [404, 'resource.unknown']);
    const { body } = await world.server.ask('GET', '/v1/auth/status?id=ac_x&wait=soon', { key });
    assert.deepEqual([body.name, body.field], ['request.params_invalid', 'wait']);
    const long = await authorize(newUser());
    assert.equal((await status(long.body.id, key, 0)).body.status, 'pending');
  });
});

describe('the token itself', () => {
  it('is given to who may call as that user, with a record each time that does not hold it', async () => {
    const user = newUser();
    const done = await consented(user, 'gil');
    const { token, user_info } = done.context;
    assert.equal(world.google.grantOf(token)?.user.login, 'gil');
    assert.equal(user_info.email, 'gil@example.com');
    const given = () => records(`kind=credential&user_id=${user}&decision=allowed`);
    const count = (await given()).filter(({ reason }) => /given out/.test(reason)).length;
    assert.equal(count, 1);
    await authorize(user);
    const all = await given();
    assert.equal(all.filter(({ reason }) => /given out/.test(reason)).length, 2);
    assert.doesNotMatch(JSON.stringify(await records('')), new RegExp(token));
  });

  it('is not given to a key for certain tools, which can authorize these and follow it', async () => {
    const ofTools = await world.server.newKey({ name: 't', scopes: ['call'], tools: ['Mail.Whoami'] });
    const user = newUser();
    const tool = (tool_name: string) => post('/v1/tools/authorize', { tool_name, user_id: user }, ofTools);
    const { body } = await tool('Mail.Whoami');
    await consentAt(body.url, { as: 'hal', allow: true });
    for (const { body: done } of [await status(body.id, ofTools), await tool('Mail.Whoami')]) {
      assert.equal(done.status, 'completed');
      assert.equal('context' in done, false);
    }
    assert.equal((await tool('Mail.Send')).status, 404);
    assert.equal((await authorize(user, {}, ofTools)).body.name, 'identity.scope_missing');
    assert.ok((await status(body.id)).body.context.token);
  });

  it('of users whom a key may not act for does not exist for it', async () => {
    const user = newUser();
    const { id } = await consented(user, 'ida');
    const ofOthers = await world.server.newKey({ name: 'o', scopes: ['call'], users: ['other-*'] });
    const ofUser = await world.server.newKey({ name: 'u', scopes: ['call'], users: [user] });
    const hidden = await status(id, ofOthers, 59);
    const nowhere = await status('ac_nowhere', ofOthers, 59);
    assert.equal(hidden.status, 404);
    assert.equal(hidden.body.message.replace(id, ''), nowhere.body.message.replace('ac_nowhere', ''));
    assert.equal((await authorize(user, {}, ofOthers)).body.name, 'identity.user_refused');
    assert.ok((await status(id, ofUser)).body.context.token);
  });

  it('of a user is not that of a person by whose name a key asked', async () => {
    const email = newUser();
    const { id } = await consented(email, 'jim');
    const bearer = await person(email);
    assert.equal((await status(id, bearer)).status, 404);
    const { body } = await authorize(email, {}, bearer);
    assert.equal(body.status, 'pending');
    assert.equal((await status(body.id, bearer)).body.status, 'pending');
    assert.equal((await authorize(newUser(), {}, bearer)).body.name, 'identity.user_refused');
    assert.equal((await status(body.id, await person(newUser()))).status, 404);
  });
});

describe('what tools need', () => {
  const requirements = (body: object, as = key) => post('/v1/tools/requirements', body, as);
  let reader: string;
  before(async () => {
    reader = await world.server.newKey({ name: 'reads', scopes: ['read'] });
    key = await world.server.newKey({ name: 'calls and reads', scopes: ['read', 'call'] });
  });

  it('is begun in one go: one consent for each provider, with all scopes', async () => {
    const user_id = newUser();
    const asked = { tool_names: ['Mail.Whoami', 'Mail.Send', 'Mail.Free'], user_id };
    const { body: before } = await requirements(asked);
    assert.deepEqual([before.met, before.authorization.met, before.secrets.met], [false, false, true]);
    assert.equal(before.authorization.items.google.token_status, 'not_started');
    assert.equal('url' in before.authorization.items.google, false);

    const { body } = await requirements({ ...asked, authorize: true });
    const { google } = body.authorization.items;
    assert.deepEqual(Object.keys(body.authorization.items), ['google']);
    assert.deepEqual(google.tool_names, ['Mail.Whoami', 'Mail.Send']);
    assert.deepEqual(google.scopes, [readScope, sendScope]);
    assert.deepEqual([google.status, google.token_status, google.met], ['active', 'pending', false]);
    assert.match(google.authorization_id, /^ac_/);

    await consentAt(google.url, { as: 'kim', allow: true });
    assert.equal((await status(google.authorization_id)).body.status, 'completed');
    const { body: after } = await requirements({ ...asked, authorize: true });
    assert.deepEqual([after.met, after.authorization.items.google.met], [true, true]);
  });

  it('is only looked at by who may not call, who sees no address', async () => {
    const user_id = newUser();
    await authorize(user_id);
    const asked = { tool_names: ['Mail.Whoami'], user_id };
    const begun = await requirements({ ...asked, authorize: true }, reader);
    assert.deepEqual(
      [begun.status, begun.body.name, begun.body.field],
      [403, 'identity.scope_missing', 'authorize'],
    );
    const { body } = await requirements(asked, reader);
    assert.equal(body.authorization.items.google.token_status, 'pending');
    assert.doesNotMatch(JSON.stringify(body), /connect|ac_/);
  });

  it('without a user is what is set up, and nothing is begun for nobody', async () => {
    const { body } = await requirements({ tool_names: ['Mail.Whoami', 'Mail.Signed'] });
    const { google } = body.authorization.items;
    assert.deepEqual([google.status, google.met, 'token_status' in google], ['active', true, false]);
    assert.deepEqual([body.secrets.met, body.secrets.items.SIGNING_KEY.met], [false, false]);
    const begun = await requirements({ tool_names: ['Mail.Whoami'], authorize: true });
    assert.equal(begun.body.name, 'identity.user_missing');
  });

  it('of secrets is there once the secret is', async () => {
    const needs = async () =>
      (await requirements({ tool_names: ['Mail.Signed'] })).body.secrets.items.SIGNING_KEY;
    assert.equal((await needs()).met, false);
    const made = await world.server.ask('POST', '/v1/admin/secrets/SIGNING_KEY', { body: { value: 'v' } });
    assert.ok(made.status < 300, JSON.stringify(made.body));
    assert.deepEqual(await needs(), { met: true, tool_names: ['Mail.Signed'] });
  });

  it('says what is not set up, and who has to do it', async () => {
    const { rooms } = world.server.app;
    await rooms.credentials.providers.update('default', 'google', { status: 'inactive' });
    try {
      const user_id = newUser();
      const { body } = await requirements({ tool_names: ['Mail.Whoami'], user_id, authorize: true });
      const { google } = body.authorization.items;
      assert.deepEqual([google.status, google.met, google.token_status], ['inactive', false, 'not_started']);
      assert.match(google.status_reason, /inactive: an administrator/);
      const tool = await world.server.ask('GET', `/v1/tools/Mail.Whoami?user_id=${user_id}`, { key: reader });
      assert.deepEqual(
        [tool.body.requirements.met, tool.body.requirements.authorization.status],
        [false, 'inactive'],
      );
    } finally {
      await rooms.credentials.providers.update('default', 'google', { status: 'active' });
    }
  });
});

describe("a project's own verifier", () => {
  const settings = '/v1/admin/settings/session_verification';
  const put = (body: object) => world.server.ask('PUT', settings, { body });
  before(async () => {
    assert.equal((await put({ verifier_url: verifierUrl })).status, 200);
  });
  after(() => put({ verifier_url: null, unsafe_skip_verification: false }));

  const toVerifier = async (url: string) => {
    const page = await consentAt(url, { as: 'lou', allow: true, stopAt: verifierUrl });
    assert.ok(page.url.startsWith(verifierUrl), `${page.url}: ${page.text}`);
    return new URL(page.url).searchParams.get('flow_id') ?? '';
  };
  const confirm = (body: object) => post('/v1/auth/confirm_user', body);

  it('is set and read; what is left out stays', async () => {
    await put({ unsafe_skip_verification: true });
    const { body } = await world.server.ask('GET', settings);
    assert.deepEqual(body, {
      verifier_url: verifierUrl,
      unsafe_skip_verification: true,
      unsafe_skip_verification_choice_allowed: true,
    });
    await put({ unsafe_skip_verification: false });
    for (const verifier_url of [
      'http://example.com/verify',
      'javascript:alert(1)',
      'https://e.com/#x',
      'x',
      '',
    ]) {
      const refused = await put({ verifier_url });
      assert.deepEqual([refused.status, refused.body.field], [400, 'verifier_url'], verifier_url);
    }
    const [change] = await records('kind=admin&tool=session_verification.update&decision=allowed');
    assert.equal(change.changes.after.verifier_url, verifierUrl);
  });

  it('says who was there; until then nothing is completed', async () => {
    const user_id = newUser();
    const { body } = await authorize(user_id, { next_uri: nextUri });
    const flow_id = await toVerifier(body.url);
    assert.equal((await status(body.id)).body.status, 'pending');
    const confirmed = await confirm({ flow_id, user_id });
    assert.deepEqual([confirmed.status, confirmed.body], [200, { auth_id: body.id, next_uri: nextUri }]);
    assert.equal((await status(body.id)).body.status, 'completed');
    assert.deepEqual((await confirm({ flow_id, user_id })).body, confirmed.body, 'the same answer again');
    assert.equal((await confirm({ flow_id, user_id: newUser() })).status, 400);
  });

  it('ends the authorization where it was somebody else', async () => {
    const { body } = await authorize(newUser());
    const flow_id = await toVerifier(body.url);
    const refused = await confirm({ flow_id, user_id: newUser() });
    assert.deepEqual([refused.status, refused.body.name], [400, 'credentials.user_mismatch']);
    assert.equal((await status(body.id)).body.error.code, 'user_mismatch');
  });

  it('is asked with a key: no person says that it was them', async () => {
    const email = newUser();
    const { body } = await authorize(email);
    const flow_id = await toVerifier(body.url);
    const bearer = await person(email);
    const refused = await post('/v1/auth/confirm_user', { flow_id, user_id: email }, bearer);
    assert.deepEqual([refused.status, refused.body.name], [403, 'identity.user_refused']);
    assert.equal((await status(body.id)).body.status, 'pending');
  });

  it('may ask where the coordinator of Arcade was', async () => {
    const path = '/api/v1/oauth/confirm_user';
    const user_id = newUser();
    const { body } = await authorize(user_id);
    const flow_id = await toVerifier(body.url);
    const wrong = await authorize(newUser());
    const wrongFlow = await toVerifier(wrong.body.url);
    const mismatch = await post(path, { flow_id: wrongFlow, user_id });
    assert.equal(mismatch.status, 400);
    assert.deepEqual([mismatch.body.code, mismatch.body.error], [400, 'user_mismatch']);
    const confirmed = await post(path, { flow_id, user_id });
    assert.deepEqual([confirmed.status, confirmed.body], [200, { auth_id: body.id }]);
    for (const [method, as, code] of [
      ['POST', null, 401],
      ['GET', key, 405],
      ['POST', await world.server.newKey({ name: 'r', scopes: ['read'] }), 403],
    ] as const) {
      const asked = { key: as, ...(method === 'POST' ? { body: { flow_id, user_id } } : {}) };
      const { status: refused, body: told } = await world.server.ask(method, path, asked);
      assert.deepEqual([refused, told.code, typeof told.msg], [code, code, 'string']);
    }
  });

  it('can be tried out', async () => {
    const user_id = newUser();
    const made = await post(
      '/v1/auth/validate_custom_verifier',
      { user_id, verifier_url: verifierUrl },
      'no',
    );
    assert.equal(made.status, 401);
    const { body } = await world.server.ask('POST', '/v1/auth/validate_custom_verifier', {
      body: { user_id, verifier_url: `${verifierUrl}/new` },
    });
    const page = await createBrowser().open(body.next_uri, { stopAt: verifierUrl });
    const at = new URL(page.url);
    assert.deepEqual([at.pathname, at.searchParams.get('flow_id')], ['/verify/new', body.flow_id]);
    const confirmed = await confirm({ flow_id: body.flow_id, user_id });
    assert.equal(confirmed.status, 200);
    const { body: tried } = await status(confirmed.body.auth_id);
    assert.deepEqual([tried.status, 'context' in tried], ['completed', false]);
  });
});

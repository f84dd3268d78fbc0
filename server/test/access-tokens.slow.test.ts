import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { after, before, describe, test } from 'node:test';
import type { Gateway } from '#domain';
import { keepCorpSource, type SignedIn, saidBy, saidByLink, signIn, tokenFor } from './access-token.ts';
import {
  type Json,
  messageOf,
  modern,
  startApp,
  startReferenceServer,
  type TestApp,
  toolCall,
} from './start-app.ts';

/** Gateways that people come in to by an access token, with every client habit that goes wrong elsewhere. */

const workerSecret = 'a-worker-secret-of-thirty-two-chars';
let app: TestApp;
let worker: Awaited<ReturnType<typeof startReferenceServer>>;
let ada: SignedIn;

before(async () => {
  worker = await startReferenceServer(workerSecret);
  app = await startApp(`
workers:
  - { id: reference, http: { uri: "${worker.uri}", secret: ${workerSecret} } }
gateways:
  - { slug: corp, auth_type: user_source, user_source_id: corp }
  - { slug: members, auth_type: arcade }
  - { slug: both, auth_types: [arcade, user_source, arcade_header], user_source_id: corp }
  - { slug: keys }
  - { slug: closed, auth_type: arcade, status: inactive }
  - slug: scoped
    auth_type: user_source
    user_source_id: corp
    tool_scopes:
      - { scope: tools.add, tools: ["ArcadeEvalRef.Add"] }
      - { scope: tools.write, tools: ["ArcadeEvalRef.A*"] }
`);
  await app.app.rooms.sources.refresh('default', 'reference');
  await keepCorpSource(app.app.rooms.identity);
  ada = await signIn(app.app.rooms.identity, saidBy(), 'member');
});
after(async () => {
  await app?.close();
  await worker?.stop();
});

const gateway = (slug: string) => app.app.rooms.catalog.view(slug)?.gateway as Gateway;
const token = (slug: string | null, more: object = {}, who: SignedIn = ada) =>
  tokenFor(app.app.rooms.identity, who, slug === null ? null : gateway(slug), { issuer: app.url, ...more });

/** A request with these headers alone. */
function ask(slug: string, headers: Record<string, string>, message: object, query = '') {
  return fetch(`${app.url}/mcp/${slug}${query}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...headers,
    },
    body: JSON.stringify({ jsonrpc: '2.0', ...message }),
  });
}

/** The same call, as both generations send it. */
function calls(tool: string, args: object = {}): [string, object, Record<string, string>][] {
  const now = modern('tools/call', { name: tool, arguments: args });
  return [
    ['legacy', toolCall(tool, args), {}],
    ['modern', now.message, now.headers],
  ];
}
const whoami = toolCall('ArcadeEvalRef_Whoami');
const bearer = (text: string) => ({ authorization: `Bearer ${text}` });
const metadata = (slug: string) => `${app.url}/.well-known/oauth-protected-resource/mcp/${slug}`;

describe('an access token at a gateway', () => {
  test('is the person, in both generations, in the record and at the worker', async () => {
    for (const [slug, userId] of [
      ['corp', 'ada'],
      ['members', 'ada@example.com'],
      ['both', 'ada'],
    ] as const) {
      for (const [era, message, headers] of calls('ArcadeEvalRef_Whoami')) {
        const answered = await ask(slug, { ...headers, ...bearer(await token(slug)) }, message);
        assert.equal(answered.status, 200, `${slug} ${era}`);
        assert.match(
          JSON.stringify((await messageOf(answered)).result),
          new RegExp(`"${userId}"|\\\\"${userId}\\\\"`),
        );
      }
      const [record] = await app.records(`&gateway=${slug}&kind=tool_call`);
      assert.deepEqual(
        [record.user_id, record.principal, record.client_id, record.decision],
        [userId, ada.person.id, 'https://client.example/metadata.json', 'allowed'],
      );
    }
    const found = await app.records(
      `&client_id=${encodeURIComponent('https://client.example/metadata.json')}`,
    );
    assert.ok(found.length >= 6);
    assert.deepEqual(await app.records('&client_id=another'), []);
  });

  test('and an API key work at one gateway side by side, each as itself', async () => {
    const byKey = await app.rpc('both', whoami, { 'arcade-user-id': 'bob' });
    assert.match(JSON.stringify(await messageOf(byKey)), /bob/);
    const byToken = await ask('both', bearer(await token('both')), whoami);
    assert.match(JSON.stringify(await messageOf(byToken)), /ada/);
    const named = { ...bearer(await token('both')), 'arcade-user-id': 'ada' };
    assert.equal((await ask('both', named, whoami)).status, 200);
    const other = { ...bearer(await token('both')), 'arcade-user-id': 'bob' };
    const refused = await ask('both', other, whoami);
    assert.equal(refused.status, 403);
    assert.equal((await messageOf(refused)).error.data.name, 'identity.user_refused');
  });

  test('ends on the next call when the sign-in is ended, and when the person is deactivated', async () => {
    const { identity } = app.app.rooms;
    const said = saidBy({ subject: 'bob', userId: 'bob', email: 'bob@example.com' });
    const bob = await signIn(identity, said);
    const his = bearer(await token('corp', {}, bob));
    assert.equal((await ask('corp', his, whoami)).status, 200);
    await identity.signIns.end(bob.signIn.id);
    assert.equal((await ask('corp', his, whoami)).status, 401);
    const again = await signIn(identity, said);
    const anew = bearer(await token('corp', {}, again));
    assert.equal((await ask('corp', anew, whoami)).status, 200);
    await identity.people.setActive('default', bob.person.id, false);
    const refused = await ask('corp', anew, whoami);
    assert.equal(refused.status, 401);
    assert.equal((await messageOf(refused)).error.data.name, 'identity.deactivated');
    const acting = await app.rpc('both', whoami, { 'arcade-user-id': 'bob' });
    assert.equal(acting.status, 401, 'an API key does not act for them either');
    assert.equal((await messageOf(acting)).error.data.name, 'identity.deactivated');
  });
});

describe('who brings nothing, or nothing that holds', () => {
  test('is told where to sign in, and gets 401, never an empty list', async () => {
    const list = modern('tools/list');
    const messages: [object, Record<string, string>][] = [
      [{ id: 1, method: 'tools/list' }, {}],
      [list.message, list.headers],
      [{ id: 1, method: 'initialize', params: {} }, {}],
      [modern('server/discover').message, modern('server/discover').headers],
    ];
    for (const [message, headers] of messages) {
      const missing = await ask('corp', headers, message);
      assert.equal(missing.status, 401);
      assert.equal(
        missing.headers.get('www-authenticate'),
        `Bearer resource_metadata="${metadata('corp')}", scope="openid mcp"`,
      );
      const bad = await ask('corp', { ...headers, ...bearer('eyJhbGciOiJSUzI1NiJ9.e30.AAAA') }, message);
      assert.equal(bad.status, 401);
      assert.equal(
        bad.headers.get('www-authenticate'),
        `Bearer error="invalid_token", resource_metadata="${metadata('corp')}", scope="openid mcp"`,
      );
    }
  });

  test('is told of the gateway under the name by which they came, and never of a forged one', async () => {
    const { port } = new URL(app.url);
    const came = async (host: string, path = '/mcp/corp', headers: Record<string, string> = {}) =>
      (await raw({ path, headers: { host, ...headers } })).challenge;
    assert.match(await came(`localhost:${port}`), challengeOf(`http://localhost:${port}`, '/mcp/corp'));
    assert.match(await came(`127.0.0.1:${port}`, '/mcp/corp/'), challengeOf(app.url, '/mcp/corp/'));
    assert.match(await came(`localhost:1`), challengeOf(app.url, '/mcp/corp'));
    const forwarded = {
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'https',
      forwarded: 'host=evil.example',
    };
    assert.match(
      await came(`127.0.0.1:${port}`, '/mcp/corp?x=1', forwarded),
      challengeOf(app.url, '/mcp/corp'),
    );
    const evil = await raw({ path: '/mcp/corp', headers: { host: 'evil.example' } });
    assert.equal(evil.status, 403);
    assert.doesNotMatch(JSON.stringify(evil), /oauth-protected-resource/);
  });

  test('is told nothing by a gateway that takes only keys, that is closed, or that is not there', async () => {
    for (const credential of [{}, bearer('sp_unknown'), bearer(await token('corp')), bearer('eyJ.e30.x')]) {
      const answers = [];
      for (const slug of ['keys', 'closed', 'nothing']) {
        const { status, headers } = await ask(slug, credential, whoami);
        answers.push(`${status} ${headers.get('www-authenticate')}`);
      }
      assert.deepEqual(new Set(answers), new Set(['401 Bearer']));
    }
    const closed = await token('closed');
    assert.equal((await ask('closed', bearer(closed), whoami)).status, 401);
  });

  test('with an API key at a gateway for people is told to sign in', async () => {
    const refused = await app.rpc('corp', whoami);
    assert.equal(refused.status, 401);
    assert.equal((await messageOf(refused)).error.data.name, 'gateway.auth_unavailable');
    assert.match(refused.headers.get('www-authenticate') ?? '', /resource_metadata=/);
  });

  test('may not bring a token that was given for something else', async () => {
    const link = await signIn(app.app.rooms.identity, saidByLink('ada@example.com'));
    const others: Record<string, string> = {
      'another gateway': await token('members'),
      'the API': await token(null),
      'an ID token': await token('corp', { header: { typ: 'JWT' } }),
      'a link, where only a source counts': await token('corp', {}, link),
      expired: await token('corp', { claims: { exp: Math.floor(Date.now() / 1000) - 1 } }),
      'the cookie of the browser': ada.cookie,
    };
    for (const [what, text] of Object.entries(others)) {
      const refused = await ask('corp', bearer(text), whoami);
      assert.equal(refused.status, 401, what);
      assert.match(refused.headers.get('www-authenticate') ?? '', /^Bearer error="invalid_token", /, what);
    }
    const cookies = { cookie: `__Host-sallyport=${ada.cookie}; sallyport=${ada.cookie}` };
    assert.equal((await ask('corp', cookies, whoami)).status, 401, 'no cookie lets in');
  });

  test('may not put a token into the URL, where it would be written down, nor send two', async () => {
    const good = await token('corp');
    for (const credential of [{}, bearer(good)]) {
      const refused = await ask('corp', credential, whoami, `?access_token=${good}`);
      assert.equal(refused.status, 401);
      const [record] = await app.records('&kind=sign_in');
      for (const told of [await refused.text(), JSON.stringify(record)]) assert.doesNotMatch(told, /eyJ/);
    }
    for (const pair of [
      [`Bearer ${good}`, 'Bearer eyJ.e30.x'],
      ['Bearer eyJ.e30.x', `Bearer ${good}`],
      [`Bearer ${good}`, `Bearer ${good}`],
    ]) {
      assert.equal((await raw({ path: '/mcp/corp', headers: { authorization: pair } })).status, 401);
    }
    assert.equal((await raw({ path: '/mcp/corp', headers: bearer(good) })).status, 200);
  });

  test('may bring huge ones', async () => {
    const huge = `eyJ${'A'.repeat(60_000)}.e30.x`;
    assert.equal((await ask('corp', bearer(huge), whoami)).status, 401);
  });
});

describe('a tool that takes a scope', () => {
  const add = { a: 1, b: 2 };

  test('is listed, and refused with 403 and the scopes to come back with, before anything is sent', async () => {
    const good = bearer(await token('scoped'));
    const list = await messageOf(await ask('scoped', good, { id: 1, method: 'tools/list' }));
    assert.ok(list.result.tools.some(({ name }: Json) => name === 'ArcadeEvalRef_Add'));
    for (const [era, message, headers] of calls('ArcadeEvalRef_Add', add)) {
      const refused = await ask('scoped', { ...headers, ...good }, message);
      assert.equal(refused.status, 403, era);
      assert.equal(
        refused.headers.get('www-authenticate'),
        `Bearer error="insufficient_scope", scope="openid mcp tools.add tools.write", resource_metadata="${metadata('scoped')}"`,
      );
      const { id, error } = await messageOf(refused);
      assert.deepEqual([id, error.data.name], [1, 'identity.scope_insufficient']);
      assert.deepEqual(error.data.details, { scopes: ['tools.add', 'tools.write'] });
      const records = await app.records('&gateway=scoped&kind=tool_call');
      const { tool, decision, code, user_id } = records[0];
      assert.deepEqual(
        [tool, decision, code, user_id],
        ['ArcadeEvalRef.Add', 'refused', 'identity.scope_insufficient', 'ada'],
      );
    }
    assert.equal((await app.records('&gateway=scoped&kind=tool_call')).length, 2, 'one record for each call');
  });

  test('runs with all of them, and others run without', async () => {
    const some = bearer(await token('scoped', { scope: 'openid mcp tools.add' }));
    const all = bearer(await token('scoped', { scope: 'openid mcp tools.write tools.add' }));
    for (const [, message, headers] of calls('ArcadeEvalRef_Add', add)) {
      assert.equal((await ask('scoped', { ...headers, ...some }, message)).status, 403);
      const { result } = await messageOf(await ask('scoped', { ...headers, ...all }, message));
      assert.equal(result.isError ?? false, false);
    }
    for (const [, message, headers] of calls('ArcadeEvalRef_Whoami')) {
      assert.equal((await ask('scoped', { ...headers, ...some }, message)).status, 200);
    }
  });

  test('in a batch is refused in its place, and the others run', async () => {
    const good = bearer(await token('scoped'));
    const batch = [
      { jsonrpc: '2.0', ...toolCall('ArcadeEvalRef_Add', add) },
      { jsonrpc: '2.0', ...whoami, id: 2 },
    ];
    const answered = await fetch(`${app.url}/mcp/scoped`, {
      method: 'POST',
      headers: { ...good, 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
      body: JSON.stringify(batch),
    });
    assert.equal(answered.status, 200);
    const [first, second] = (await answered.json()) as Json[];
    assert.equal(first.error.data.name, 'identity.scope_insufficient');
    assert.match(JSON.stringify(second.result), /ada/);
  });
});

function challengeOf(origin: string, path: string): RegExp {
  const text = `resource_metadata="${origin}/.well-known/oauth-protected-resource${path}",`;
  return new RegExp(text.replaceAll(/[.?]/g, '\\$&'));
}

interface RawRequest {
  readonly path: string;
  readonly headers: Record<string, string | string[]>;
}

/** With headers that `fetch` does not send: a `Host` of one's own, or one of them twice. */
function raw({ path, headers }: RawRequest): Promise<{ status: number; challenge: string; body: string }> {
  const { hostname, port } = new URL(app.url);
  return new Promise((resolve, reject) => {
    const all = { 'content-type': 'application/json', accept: 'application/json', ...headers };
    const request = httpRequest({ hostname, port, path, method: 'POST', headers: all }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk) => {
        body += chunk;
      });
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          challenge: response.headers['www-authenticate'] ?? '',
          body,
        }),
      );
    });
    request.on('error', reject);
    request.end(JSON.stringify({ jsonrpc: '2.0', ...whoami }));
  });
}

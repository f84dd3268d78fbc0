import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { allow, askGateway, begin, claimsOf, tokensFor } from '../fixtures/oauth-server.ts';
import { type ServerWithTools, startServerWithTools } from './fixtures/programs.ts';

let server: ServerWithTools;
let browser: Awaited<ReturnType<ServerWithTools['signedIn']>>;
let clientId: string;
const redirectUri = 'http://127.0.0.1:4567/callback';

before(async () => {
  const tool_scopes = [
    { scope: 'count', tools: ['Test.Count'] },
    { scope: 'join', tools: ['Test.Join'] },
  ];
  server = await startServerWithTools({ tool_scopes });
});
after(() => server?.close());
beforeEach(async () => {
  browser = await server.signedIn('ada@example.com');
  const { body } = await server.register({
    client_name: 'An agent',
    redirect_uris: [redirectUri],
    grant_types: ['authorization_code', 'refresh_token'],
    token_endpoint_auth_method: 'none',
  });
  clientId = body.client_id;
});

const asking = (scope: string) => ({ clientId, redirectUri, resource: server.gateway, scope });

async function call(token: string, name: string) {
  const params = { name, arguments: name === 'Test_Join' ? { words: ['x'] } : {} };
  const response = await askGateway(server.gateway, token, 'tools/call', params);
  const challenge = response.headers.get('www-authenticate') ?? '';
  return { status: response.status, wants: /scope="([^"]*)"/.exec(challenge)?.[1] ?? '', challenge };
}

/** The words by which the page asks, and those that tell what was allowed before. */
async function askedFor(scope: string) {
  let response = await browser.get(begin(server.url, asking(scope)).url);
  while (response.headers.get('location') !== null)
    response = await browser.get(new URL(response.headers.get('location') ?? '', response.url).href);
  const page = await response.text();
  const lists = [...page.matchAll(/<ul[^>]*>(.*?)<\/ul>/gs)].map(([, list = '']) =>
    [...list.matchAll(/<li>(.*?)<\/li>/gs)].map(([, words]) => words),
  );
  return { asked: lists[0] ?? [], before: lists[1] ?? [] };
}

/** As clients do it: what they had, and what they are told that it takes. */
const union = (...scopes: readonly string[]) => [...new Set(scopes.join(' ').split(' '))].join(' ');

describe('a tool that takes a scope of its own', () => {
  it('is refused without it, and runs once the client came back with what it was told', async () => {
    const first = await tokensFor(server, browser, asking('mcp'));
    const refused = await call(first.body.access_token, 'Test_Count');
    assert.equal(refused.status, 403);
    assert.match(refused.challenge, /^Bearer error="insufficient_scope"/);
    assert.ok(refused.wants.split(' ').includes('count'));
    const again = await tokensFor(server, browser, asking(union(first.body.scope, refused.wants)));
    for (const scope of ['mcp', 'count']) assert.ok(again.body.scope.split(' ').includes(scope));
    assert.equal((await call(again.body.access_token, 'Test_Count')).status, 200);
    assert.equal((await call(first.body.access_token, 'Test_Count')).status, 403);
  });

  it('and another one: the second time nothing is lost of the first', async () => {
    let { body } = await tokensFor(server, browser, asking('mcp'));
    for (const tool of ['Test_Count', 'Test_Join']) {
      const { wants } = await call(body.access_token, tool);
      ({ body } = await tokensFor(server, browser, asking(union(body.scope, wants))));
    }
    for (const tool of ['Test_Count', 'Test_Join'])
      assert.equal((await call(body.access_token, tool)).status, 200, tool);
  });

  it('is asked about by itself, beside what the person allowed before', async () => {
    const anew = await askedFor('mcp');
    assert.deepEqual(anew, {
      asked: [
        'Use the tools of this gateway as you',
        'Stay connected while you are away, until you end it or your sign-in is over',
      ],
      before: [],
    });
    await tokensFor(server, browser, asking('mcp'));
    const more = await askedFor('mcp count');
    assert.deepEqual(more.before, anew.asked);
    assert.equal(more.asked.length, 1);
    assert.match(more.asked[0] ?? '', /count.*Test\.Count/);
  });

  it('that was allowed is not asked about again, and neither is less', async () => {
    await tokensFor(server, browser, asking('openid mcp count'));
    for (const scope of ['openid mcp count', 'mcp', 'mcp count']) {
      const response = await browser.get(begin(server.url, asking(scope)).url);
      assert.ok(response.headers.get('location')?.startsWith(redirectUri), scope);
    }
    assert.match(String((await askedFor('mcp count join')).asked), /join/);
  });

  it('stays in what is renewed, which is never more than was allowed', async () => {
    const { body } = await tokensFor(server, browser, asking('openid mcp count offline_access'));
    const renew = (refresh_token: string, scope?: string) =>
      server.form('/oauth2/token', {
        grant_type: 'refresh_token',
        client_id: clientId,
        refresh_token,
        ...(scope === undefined ? {} : { scope }),
      });
    const renewed = await renew(body.refresh_token);
    assert.equal((await call(renewed.body.access_token, 'Test_Count')).status, 200);
    const more = await renew(renewed.body.refresh_token, 'openid mcp count join');
    assert.equal(String(claimsOf(more.body.access_token).scope).includes('join'), false);
    assert.equal((await call(more.body.access_token, 'Test_Join')).status, 403);
    assert.equal((await call(more.body.access_token, 'Test_Count')).status, 200);
  });

  it('that a person does not allow is not given, and what they had goes on', async () => {
    const first = await tokensFor(server, browser, asking('mcp'));
    const { url } = begin(server.url, asking('openid mcp count'));
    let response = await browser.get(url);
    while (response.headers.get('location') !== null)
      response = await browser.get(new URL(response.headers.get('location') ?? '', response.url).href);
    const page = await response.text();
    const fields = {
      form_token: /name="form_token" value="([^"]+)"/.exec(page)?.[1] ?? '',
      answer: 'deny',
    };
    await browser.post(new URL(response.url).pathname, fields);
    assert.equal((await call(first.body.access_token, 'Test_Count')).status, 403);
    assert.equal((await askedFor('mcp count')).asked.length, 1);
    const same = await allow(browser, begin(server.url, asking('mcp')).url);
    assert.ok(same.searchParams.has('code'));
  });
});

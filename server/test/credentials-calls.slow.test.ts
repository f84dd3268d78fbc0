import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { createServer, UpstreamError } from '@sallyport/server';
import { z } from 'zod';
import { linkIn, redirectUriOf } from './acting.ts';
import type { eras } from './both-eras.ts';
import { type EraClient, openEraClient } from './era-client.ts';
import { startEraServer } from './era-server.ts';
import { type HookServer, startHookServer } from './hook-server.ts';
import { consentAt, type StandIn, startPlain } from './oauth-providers/index.ts';
import { type Json, startApp, type TestApp } from './start-app.ts';

const workerSecret = 'the-secret-of-the-worker-of-this-test';

/** A worker whose tools act for users at one provider, before policies of every kind. */
let provider: StandIn;
let worker: Awaited<ReturnType<typeof startWorker>>;
let hooks: HookServer;
let app: TestApp;
let count = 0;
let user: string;

async function startWorker() {
  const state = { calls: 0, refusesTokens: 0 };
  const server = createServer({ name: 'Acting', version: '1.0.0' });
  const requires = { authorization: { id: 'plain', scopes: ['read'] } };
  const output = z.object({ user: z.string() });
  const whoAmI = async (token: string) => {
    state.calls++;
    if (state.refusesTokens-- > 0) throw new UpstreamError('the token is refused', { statusCode: 401 });
    const answer = await fetch(`${provider.origin}/stand-in/whoami`, {
      headers: { authorization: `Bearer ${token}` },
    });
    if (!answer.ok) throw new UpstreamError('the token is refused', { statusCode: answer.status });
    return (await answer.json()) as { user: string };
  };
  const read = { behavior: { operations: ['read' as const], readOnly: true } };
  server.tool(
    { name: 'Read', description: 'Reads', output, requires, metadata: read },
    (_input, { authorization }) => whoAmI(authorization.token),
  );
  server.tool({ name: 'Send', description: 'Sends', output, requires }, (_input, { authorization }) =>
    whoAmI(authorization.token),
  );
  server.tool(
    {
      name: 'Know',
      description: 'Says what it was told',
      output: z.record(z.string(), z.string()),
      requires: { ...requires, secrets: ['CALL_KEY'], metadata: ['client_id', 'coordinator_url', 'other'] },
    },
    (_input, { metadata, secrets }) => ({ ...metadata, secret: secrets.get('CALL_KEY') }),
  );
  const running = await server.listen({ port: 0, workerSecret, env: {} });
  return Object.assign(state, { uri: running.url, stop: () => running.stop() });
}

before(async () => {
  [provider, hooks] = await Promise.all([startPlain(), startHookServer()]);
  worker = await startWorker();
  const endpoint = (point: string) => ({
    url: `${hooks.url}/${point}`,
    failure_mode: 'fail_closed',
    phase: 'before',
  });
  app = await startApp(
    JSON.stringify({
      egress: { allow: ['127.0.0.0/8'] },
      workers: [{ id: 'acting', http: { uri: worker.uri, secret: workerSecret } }],
      auth_providers: [{ id: 'plain', type: 'oauth2', oauth2: provider.settings }],
      gateways: [{ slug: 'main' }],
      plugins: [
        {
          id: 'checks',
          name: 'Checks',
          plugin_type: 'webhook',
          webhook_config: {
            endpoints: { access: endpoint('access'), pre: endpoint('pre'), post: endpoint('post') },
          },
        },
      ],
    }),
  );
  provider.redirectUris.add(redirectUriOf(app.url, provider));
  const { state, message } = await app.app.rooms.sources.refresh('default', 'acting');
  assert.equal(state, 'healthy', message);
});
after(async () => {
  await app?.close();
  await worker?.stop();
  await hooks?.close();
  await provider?.close();
});
beforeEach(() => {
  user = `user-${++count}`;
  worker.refusesTokens = 0;
});

async function call(tool: string, args: Json = {}): Promise<Json> {
  const params = { name: `Acting_${tool}`, arguments: args };
  const answer = await app.rpc('main', { id: 1, method: 'tools/call', params }, { 'arcade-user-id': user });
  const { result, error } = (await answer.json()) as Json;
  return result ?? assert.fail(JSON.stringify(error));
}
const codeOf = (result: Json) => result._meta?.['sallyport/refusal']?.code ?? null;
const consent = (url: string, allow = true) => consentAt(url, { as: user, allow });

async function create(path: string, body: object): Promise<string> {
  const made = await app.api('POST', `/v1${path}`, body);
  assert.equal(made.status, 201, await made.clone().text());
  return ((await made.json()) as Json).id;
}
const remove = async (path: string) => assert.equal((await app.api('DELETE', `/v1${path}`)).status, 204);

describe('a call that waits for consent', () => {
  it('does not use up the approval that somebody gave it', async (context) => {
    const rule = await create('/rules', {
      name: 'somebody has to agree',
      direction: 'input',
      tools: ['Acting.Send'],
      condition: 'true',
      action: 'approve',
      approvers: [{ user: 'boss' }],
    });
    context.after(() => remove(`/rules/${rule}`));
    const held = await call('Send');
    assert.equal(codeOf(held), 'policy.approval_required');
    const { id } = held._meta['sallyport/refusal'].details.approval;
    const approved = await app.api('POST', `/v1/approvals/${id}/approve`, { user_id: 'boss' });
    assert.equal(approved.status, 200, await approved.text());
    for (let again = 0; again < 2; again++)
      assert.equal(codeOf(await call('Send')), 'credentials.consent_required');
    await consent(linkIn(await call('Send')));
    assert.deepEqual((await call('Send')).structuredContent, { user });
    assert.equal(codeOf(await call('Send')), 'policy.approval_required');
  });

  it('is not counted by a limit, and the call after it is', async (context) => {
    const limit = await create('/limits', {
      name: 'one an hour',
      tools: ['Acting.Send'],
      per: ['user'],
      rate: { limit: 1, per_seconds: 3600 },
    });
    context.after(() => remove(`/limits/${limit}`));
    for (let again = 0; again < 3; again++)
      assert.equal(codeOf(await call('Send')), 'credentials.consent_required');
    await consent(linkIn(await call('Send')));
    assert.deepEqual((await call('Send')).structuredContent, { user });
    assert.equal(codeOf(await call('Send')), 'policy.rate_limited');
  });

  it('is refused by policy before anybody is asked to consent', async () => {
    hooks.answers['/pre'] = () => ({ code: 'CHECK_FAILED', error_message: 'not you' });
    const refused = await call('Send');
    delete hooks.answers['/pre'];
    assert.equal(codeOf(refused), 'policy.hook_denied');
    assert.equal(refused._meta.authorization_url, undefined);
    const recorded = () => app.records(`&kind=credential&user_id=${user}`);
    assert.deepEqual(await recorded(), []);
    await call('Send');
    assert.equal((await recorded()).length, 1);
  });
});

describe('a client that opens links', () => {
  const asked = { name: 'Acting_Read', arguments: {} };

  async function connect(era: (typeof eras)[number]): Promise<EraClient> {
    const headers = { authorization: `Bearer ${app.key}`, 'arcade-user-id': user };
    return openEraClient(era, `${app.url}/mcp/main`, headers);
  }

  it('of 2025-11-25 is sent to the consent by the error for it, and the same call succeeds without a reconnect', async () => {
    const client = await connect('legacy');
    const { error } = await client.request('tools/call', asked);
    assert.equal(error?.code, -32042);
    const [{ url, elicitationId }] = error?.data.elicitations ?? [];
    assert.equal(elicitationId, error?.data.authorization_id);
    await consent(url);
    assert.deepEqual((await client.request('tools/call', asked)).result?.structuredContent, { user });
    await client.close();
  });

  it('of 2026-07-28 comes back before the consent has ended, and has its answer in that very call', async () => {
    const client = await connect('modern');
    const round = (more: Json = {}) => client.request('tools/call', { ...asked, ...more }, { maxRounds: 0 });
    const { result: question } = await round();
    assert.equal(question?.resultType, 'input_required');
    const { requestState, inputRequests } = question as Json;
    const waiting = round({ requestState, inputResponses: { authorization: { action: 'accept' } } });
    await consent(inputRequests.authorization.params.url);
    assert.deepEqual((await waiting).result?.structuredContent, { user });
    await client.close();
  });

  it('of 2026-07-28 is told so where the user declined here, or over there', async () => {
    for (const where of ['here', 'there']) {
      user = `user-${++count}`;
      const client = await connect('modern');
      const round = (more: Json = {}) =>
        client.request('tools/call', { ...asked, ...more }, { maxRounds: 0 });
      const { requestState, inputRequests } = (await round()).result as Json;
      const action = where === 'here' ? 'decline' : 'accept';
      if (where === 'there') await consent(inputRequests.authorization.params.url, false);
      const { result } = await round({ requestState, inputResponses: { authorization: { action } } });
      assert.equal(result?.isError, true);
      assert.match(result?.content[0].text, /did not (want to give|allow) it/);
      await client.close();
    }
  });
});

describe('what a call carries', () => {
  async function newUser(): Promise<void> {
    await consent(linkIn(await call('Read')));
  }

  it('is told to hooks but for the token and the values of secrets', async () => {
    await app.api('POST', '/v1/admin/secrets/CALL_KEY', { value: 'hush-of-the-call' });
    const from = hooks.asked.length;
    assert.equal(codeOf(await call('Know')), 'credentials.consent_required');
    const before = hooks.asked.slice(from).filter(({ path }) => path === '/pre');
    assert.deepEqual(
      before.map(({ body }) => body.context.authorization),
      [[]],
    );
    await newUser();
    const known = hooks.asked.length;
    assert.equal((await call('Know')).isError, false);
    const asked = hooks.asked.slice(known).filter(({ path }) => path !== '/access');
    assert.deepEqual(
      asked.map(({ path }) => path),
      ['/pre', '/post'],
    );
    for (const { body } of asked) {
      const [authorization] = body.context.authorization;
      assert.equal(authorization.provider_id, 'plain');
      assert.deepEqual(authorization.oauth2.scopes, ['read']);
      assert.equal(typeof authorization.oauth2.user_info.sub, 'string');
      assert.deepEqual(body.context.secrets, ['CALL_KEY']);
    }
    // The output of this tool holds its secret: what the gateway says of the call does not.
    const said = JSON.stringify(asked.map(({ body }) => ({ ...body, output: null })));
    for (const secret of ['hush-of-the-call', ...provider.given]) assert.equal(said.includes(secret), false);
    assert.deepEqual(hooks.problems, []);
  });

  it('is, of metadata, what the tool declares and the gateway knows', async () => {
    await app.api('POST', '/v1/admin/secrets/CALL_KEY', { value: 'hush-of-the-call' });
    await newUser();
    assert.deepEqual((await call('Know')).structuredContent, {
      client_id: provider.clientId,
      coordinator_url: app.url,
      secret: 'hush-of-the-call',
    });
  });

  it('goes by a hook first, and one that nobody has set is named', async () => {
    await newUser();
    const { items } = (await (await app.api('GET', '/v1/admin/secrets')).json()) as Json;
    for (const { id } of items) await remove(`/admin/secrets/${id}`);
    const missing = await call('Know');
    assert.equal(codeOf(missing), 'credentials.not_configured');
    assert.match(missing.content[0].text, /CALL_KEY/);
    hooks.answers['/pre'] = () => ({ code: 'OK', override: { secrets: [{ CALL_KEY: 'of the hook' }] } });
    assert.equal((await call('Know')).structuredContent.secret, 'of the hook');
    delete hooks.answers['/pre'];
  });

  it('is renewed once where the provider refused it, and only a tool that may run twice runs again', async () => {
    await newUser();
    provider.expireAll();
    const [calls, renewals] = [worker.calls, provider.asked.token];
    assert.deepEqual((await call('Read')).structuredContent, { user });
    assert.deepEqual([worker.calls - calls, provider.asked.token - renewals], [2, 1]);
    user = `user-${++count}`;
    await newUser();
    provider.expireAll();
    const before = worker.calls;
    assert.equal((await call('Send')).isError, true);
    assert.equal(worker.calls - before, 1);
    assert.deepEqual((await call('Send')).structuredContent, { user });
  });

  it('is not renewed again and again for a tool that refuses every token', async () => {
    await newUser();
    worker.refusesTokens = 100;
    const [calls, renewals] = [worker.calls, provider.asked.token];
    for (let again = 0; again < 5; again++) assert.equal((await call('Read')).isError, true);
    assert.equal(worker.calls - calls, 6);
    assert.equal(provider.asked.token - renewals, 1);
  });
});

describe('an MCP server', () => {
  const statusOf = async (id: string) =>
    ((await (await app.api('GET', `/v1/workers/${id}`)).json()) as Json).status;

  for (const era of ['legacy', 'modern'] as const) {
    it(`of the ${era} era gets a secret of the project in a header, and heals when it is set`, async (context) => {
      const server = await startEraServer(era);
      context.after(() => server.close());
      const headers = { 'x-key': `\${secret:MCP_KEY_${era}}` };
      const mcp = { uri: server.uri, headers };
      await create('/workers', { id: `keyed-${era}`, mcp });
      context.after(() => remove(`/workers/keyed-${era}`));
      const broken = await statusOf(`keyed-${era}`);
      assert.equal(broken.failed_step, 'authenticated');
      assert.match(broken.message, new RegExp(`the secret MCP_KEY_${era}, which is neither in mcp.secrets`));
      assert.equal(server.heard.length, 0);
      await app.api('POST', `/v1/admin/secrets/MCP_KEY_${era}`, { value: 'hush-of-mcp' });
      const { state, message } = await app.app.rooms.sources.refresh('default', `keyed-${era}`);
      assert.equal(state, 'healthy', message);
      assert.equal(server.heard.at(-1)?.headers['x-key'], 'hush-of-mcp');
      const shown = JSON.stringify(await (await app.api('GET', `/v1/workers/keyed-${era}`)).json());
      assert.doesNotMatch(shown, /hush/);
    });

    it(`of the ${era} era gets the user's token of an auth provider, and its list needs none`, async (context) => {
      const server = await startEraServer(era);
      context.after(() => server.close());
      const auth_provider = { id: 'plain', scopes: ['read'] };
      await create('/workers', { id: `acting-${era}`, mcp: { uri: server.uri, auth_provider } });
      context.after(() => remove(`/workers/acting-${era}`));
      assert.equal((await statusOf(`acting-${era}`)).state, 'healthy');
      const execute = async () => {
        const asked = { tool_name: `acting-${era}.Echo`, user_id: user, input: { zulu: 'z' } };
        const answer = await app.api('POST', '/v1/tools/execute', asked);
        return { status: answer.status, body: (await answer.json()) as Json };
      };
      const refused = await execute();
      assert.equal(refused.body.name, 'credentials.consent_required', JSON.stringify(refused.body));
      await consent(refused.body.details.authorization_url);
      const { body } = await execute();
      assert.equal(body.success, true, JSON.stringify(body));
      const token = /^Bearer (.*)$/.exec(server.heard.at(-1)?.headers.authorization ?? '')?.[1] ?? '';
      assert.equal(provider.grantOf(token)?.user.login, user);
    });
  }
});

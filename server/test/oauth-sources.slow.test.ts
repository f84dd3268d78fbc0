import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { saidByLink, signIn, tokenFor } from './access-token.ts';
import { type Browser, createBrowser, type Page } from './browser.ts';
import { type OAuthSource, startOAuthSource } from './oauth-source.ts';
import { type Json, startApp, type TestApp } from './start-app.ts';

const config = `
egress:
  allow: [127.0.0.1]
gateways:
  - name: Guarded
    slug: guarded
    auth_types: [arcade_header, arcade]
    naming: source
`;
const prefix = 'io.modelcontextprotocol/';

for (const era of ['modern', 'legacy'] as const) {
  describe(`an MCP server of the ${era} era that wants OAuth`, () => {
    let app: TestApp;
    let source: OAuthSource;
    let id: string;
    let count = 0;

    before(async () => {
      app = await startApp(config);
    });
    after(() => app.close());

    beforeEach(async () => {
      source = await startOAuthSource(era);
      id = `guarded-${++count}`;
      const created = await app.api('POST', '/v1/workers', { id, type: 'mcp', mcp: { uri: source.uri } });
      assert.equal(created.status, 201);
    });
    afterEach(async () => {
      await app.api('DELETE', `/v1/workers/${id}`);
      await source.close();
    });

    async function post(message: Json, headers: Record<string, string> = {}) {
      const answer = await app.rpc('guarded', { id: 1, ...message }, headers);
      return (await answer.json()) as Json;
    }
    const call = async (user: string, name = 'WhoAmI', headers: Record<string, string> = {}) =>
      (
        await post(
          { method: 'tools/call', params: { name, arguments: {} } },
          { 'arcade-user-id': user, ...headers },
        )
      ).result as Json;
    const urlIn = (result: Json): string => result._meta.authorization_url;

    /** What a person does in a browser: goes on, consents there, and comes back. */
    async function consent(url: string, as: string, browser: Browser = createBrowser()): Promise<Page> {
      source.signedInAs = as;
      const page = await browser.open(url);
      return page.forms.length === 0 ? page : await browser.submit(page);
    }

    /** Its tools are listed from now on. */
    async function connectList(): Promise<void> {
      const asked = (await (await app.api('POST', `/v1/workers/${id}/authorize`, {})).json()) as Json;
      const page = await consent(asked.authorization_url, 'the list');
      assert.match(page.text, /is connected/);
      const health = (await (await app.api('GET', `/v1/workers/${id}/health`)).json()) as Json;
      assert.equal(health.healthy, true, health.message);
    }

    it('says in its status that its list needs a signed-in user, until an administrator connected it', async () => {
      const { status } = (await (await app.api('GET', `/v1/workers/${id}`)).json()) as Json;
      assert.equal(status.state, 'unhealthy');
      assert.match(status.message, /wants OAuth, so the list needs a signed-in user/);
      await connectList();
      const { total_count } = (await (await app.api('GET', `/v1/workers/${id}/tools`)).json()) as Json;
      assert.equal(total_count, 2);
    });

    it('is called for a user once that user consented, and the same call succeeds without anything else', async () => {
      await connectList();
      const refused = await call('ada');
      assert.equal(refused.isError, true);
      const { authorization_url, authorization_id, provider_id, scopes, llm_instructions } =
        refused.structuredContent;
      assert.match(authorization_url, new RegExp(`^${app.url}/connect/[\\w-]{43}$`));
      assert.match(authorization_id, /^ac_/);
      assert.deepEqual([provider_id, scopes], [id, ['read']]);
      assert.ok(llm_instructions.includes(authorization_url));
      assert.ok(refused.content[0].text.includes(authorization_url));
      assert.equal(urlIn(refused), authorization_url);

      const page = await consent(authorization_url, 'ada at the source');
      assert.equal(page.status, 200);
      assert.match(page.text, /is connected/);
      const done = await call('ada');
      assert.equal(done.content[0].text, 'ada at the source');
    });

    it('is asked for with the address of the very same consent, as long as nobody has opened it', async () => {
      await connectList();
      const [first, second] = await Promise.all([call('ada'), call('ada')]);
      assert.equal(urlIn(first), urlIn(second));
      assert.equal(urlIn(await call('ada')), urlIn(first));
      assert.notEqual(urlIn(await call('bob')), urlIn(first));
    });

    it('gives two users two tokens, and neither is ever called with that of the other', async () => {
      await connectList();
      const users = ['ada', 'bob'];
      for (const user of users) await consent(urlIn(await call(user)), `${user} there`);
      const calls = Array.from({ length: 40 }, (_, index) => users[index % 2] as string);
      const said = await Promise.all(calls.map(async (user) => (await call(user)).content[0].text));
      assert.deepEqual(
        said,
        calls.map((user) => `${user} there`),
      );
      assert.match((await call('eve')).content[0].text, /needs the user's authorization/);
    });

    it('is asked for prompts with the token of the user, too', async () => {
      await connectList();
      const get = (user: string) =>
        post({ method: 'prompts/get', params: { name: 'Greet' } }, { 'arcade-user-id': user });
      const refused = await get('ada');
      assert.match(refused.error.data.authorization_url, /\/connect\//);
      await consent(refused.error.data.authorization_url, 'ada there');
      assert.equal((await get('ada')).result.messages[0].content.text, 'ada there');
    });

    it('has a token that is over renewed once, however many calls need it', async () => {
      await connectList();
      source.firstLifeS = 1;
      await consent(urlIn(await call('ada')), 'ada there');
      const before = source.asked.length;
      const said = await Promise.all(Array.from({ length: 100 }, () => call('ada')));
      assert.ok(said.every(({ content }) => content[0].text === 'ada there'));
      const grants = source.asked.slice(before).map((form) => form.get('grant_type'));
      assert.deepEqual(grants, ['refresh_token']);
    });

    it('asks for consent anew where the token was revoked, and does not try it again and again', async () => {
      await connectList();
      await consent(urlIn(await call('ada')), 'ada there');
      source.revoke({ refreshTokens: true });
      const refused = await call('ada');
      const asked = source.asked.length;
      assert.match(urlIn(refused), /\/connect\//);
      for (let again = 0; again < 5; again++) await call('ada');
      assert.equal(source.asked.length, asked);
      await consent(urlIn(refused), 'ada again');
      assert.equal((await call('ada')).content[0].text, 'ada again');
    });

    it('asks for more scopes where one tool needs them, and loses none that it had', async () => {
      await connectList();
      await consent(urlIn(await call('ada')), 'ada there');
      const more = await call('ada', 'Write');
      assert.deepEqual(more.structuredContent.scopes, ['read', 'write']);
      await consent(urlIn(more), 'ada there');
      assert.equal((await call('ada', 'Write')).content[0].text, 'ada there');
      assert.equal((await call('ada')).content[0].text, 'ada there');
    });

    it('asks nobody for ever: after three consents in vain it says so', async () => {
      await connectList();
      source.tokenAnswer = () => ({
        status: 200,
        body: JSON.stringify({ access_token: 'worth-nothing', token_type: 'Bearer', expires_in: 3600 }),
      });
      let refused = await call('ada');
      let consents = 0;
      for (; refused._meta.authorization_url !== undefined && consents < 10; consents++) {
        await consent(urlIn(refused), 'ada there');
        refused = await call('ada');
      }
      assert.equal(consents, 3);
      assert.equal(refused._meta['sallyport/refusal'].code, 'source.secret_refused');
    });

    it('asks a client of today that opens links by input_required, and waits for the consent', async () => {
      await connectList();
      const ask = (more: Json = {}) =>
        post(
          {
            method: 'tools/call',
            params: {
              name: 'WhoAmI',
              arguments: {},
              ...more,
              _meta: {
                [`${prefix}protocolVersion`]: '2026-07-28',
                [`${prefix}clientCapabilities`]: { elicitation: { url: {} } },
                [`${prefix}clientInfo`]: { name: 'test', version: '1' },
              },
            },
          },
          { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'WhoAmI' },
        );
      const { result: asked } = await ask();
      assert.equal(asked.resultType, 'input_required');
      const { params } = asked.inputRequests.authorization;
      assert.deepEqual([params.mode, params.elicitationId], ['url', undefined]);
      const back = { requestState: asked.requestState };
      // The client comes back as soon as the browser is open, long before the user is done.
      const waiting = ask({ ...back, inputResponses: { authorization: { action: 'accept' } } });
      await consent(params.url, 'alice there');
      const { result: done } = await waiting;
      assert.equal(done.content[0].text, 'alice there');

      await app.api('DELETE', `/v1/workers/${id}`);
      await app.api('POST', '/v1/workers', { id, type: 'mcp', mcp: { uri: source.uri } });
      await connectList();
      const { result: again } = await ask();
      const { result: declined } = await ask({
        requestState: again.requestState,
        inputResponses: { authorization: { action: 'decline' } },
      });
      assert.match(declined.content[0].text, /the user did not want to give it/);
    });

    it('tells a client of 2025-11-25 that opens links by the error for it', async () => {
      await connectList();
      const hello = await app.rpc('guarded', {
        id: 1,
        method: 'initialize',
        params: {
          protocolVersion: '2025-11-25',
          capabilities: { elicitation: { url: {} } },
          clientInfo: { name: 'test', version: '1' },
        },
      });
      const session = hello.headers.get('mcp-session-id') ?? '';
      const headers = { 'mcp-session-id': session, 'mcp-protocol-version': '2025-11-25' };
      const asked = { method: 'tools/call', params: { name: 'WhoAmI', arguments: {} } };
      const { error } = await post(asked, headers);
      assert.equal(error.code, -32042);
      const [{ mode, url, elicitationId }] = error.data.elicitations;
      assert.deepEqual([mode, elicitationId], ['url', error.data.authorization_id]);
      await consent(url, 'alice there');
      assert.equal((await post(asked, headers)).result.content[0].text, 'alice there');
    });

    it('tells callers of the API by 403, with the address', async () => {
      await connectList();
      const execute = () =>
        app.api('POST', '/v1/tools/execute', { tool_name: `${id}.WhoAmI`, user_id: 'ada', input: {} });
      const refused = await execute();
      assert.equal(refused.status, 403);
      const told = (await refused.json()) as Json;
      assert.equal(told.name, 'credentials.consent_required');
      const url = /http\S+\/connect\/[\w-]{43}/.exec(told.message)?.[0] ?? '';
      await consent(url, 'ada there');
      assert.equal(((await (await execute()).json()) as Json).output.value, 'ada there');
    });

    it('is connected by the person alone who is signed in at the browser', async () => {
      await connectList();
      const { identity, catalog } = app.app.rooms;
      const gateway = catalog.gateways('default').find(({ slug }) => slug === 'guarded') ?? null;
      const ada = await signIn(identity, saidByLink(`ada-${id}@example.com`), 'member');
      const eve = await signIn(identity, saidByLink(`eve-${id}@example.com`), 'member');
      const token = await tokenFor(identity, ada, gateway, { issuer: app.url });
      const asAda = () => call('', 'WhoAmI', { authorization: `Bearer ${token}` });
      const url = urlIn(await asAda());

      const nobody = await createBrowser().open(url);
      assert.deepEqual([nobody.status, /Sign in first/.test(nobody.text)], [403, true]);
      const other = createBrowser();
      other.plant(app.url, `sallyport_sign_in=${eve.cookie}; Path=/`);
      const foreign = await other.open(url);
      assert.deepEqual([foreign.status, /for somebody else/.test(foreign.text)], [403, true]);
      assert.equal(source.done.length, 0);

      const browser = createBrowser();
      browser.plant(app.url, `sallyport_sign_in=${ada.cookie}; Path=/`);
      assert.match((await consent(url, 'ada there', browser)).text, /is connected/);
      assert.equal((await asAda()).content[0].text, 'ada there');

      // Who holds an API key can name somebody, and consent with an account of their own: that person's calls do not go by it.
      const named = `eve-${id}@example.com`;
      await consent(urlIn(await call(named)), 'mallory there');
      assert.equal((await call(named)).content[0].text, 'mallory there');
      const eves = await tokenFor(identity, eve, gateway, { issuer: app.url });
      const hers = await call('', 'WhoAmI', { authorization: `Bearer ${eves}` });
      assert.match(hers.content[0].text, /needs the user's authorization/);
    });

    it('leaves no token in the log book, the files or the database that can be read', async () => {
      await connectList();
      await consent(urlIn(await call('ada')), 'ada there');
      await call('ada');
      const records = await app.records('&kind=credential');
      const { decision, user_id, source: at } = records[0] as Json;
      assert.deepEqual([decision, user_id, at], ['allowed', 'ada', id]);
      const kept = Buffer.concat(filesIn(app.dataDir).map((file) => readFileSync(file)));
      const tables = ['connections', 'connection_clients', 'connection_flows'];
      const rows = await Promise.all(tables.map((table) => app.app.rooms.db.query(`select * from ${table}`)));
      const all = `${kept.toString('latin1')}${JSON.stringify(rows)}${JSON.stringify(await app.records())}`;
      assert.ok(source.given.length >= 4);
      for (const secret of [...source.given, 'client-secret-1']) assert.ok(!all.includes(secret), secret);
    });
  });
}

function filesIn(directory: string): string[] {
  return readdirSync(directory).flatMap((name) => {
    const path = join(directory, name);
    return statSync(path).isDirectory() ? filesIn(path) : statSync(path).isFile() ? [path] : [];
  });
}

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import Arcade from '@arcadeai/arcadejs';
import { executeOrAuthorizeZodTool, toZod } from '@arcadeai/arcadejs/lib/index';
import { createBrowser, type Page } from './browser.ts';
import { noChromium, startChromium } from './chromium.ts';
import {
  type Json,
  startApp,
  startMailServer,
  startMailStandIn,
  type TestApp,
  type TestWorker,
} from './start-app.ts';

/** The story of examples/mail-server, with its own config file: two users, each with the own mailbox, by well-known clients. */

const secret = 'only-for-the-story-on-this-machine';
const config = readFileSync(
  fileURLToPath(new URL('../../examples/mail-server/sallyport.yaml', import.meta.url)),
  'utf8',
);
const mailboxOf = { alice: 'alice@mail.example', bob: 'bob@mail.example' } as const;
type User = keyof typeof mailboxOf;
const users = ['alice', 'bob'] as const;
const packageRoot = (name: string) => dirname(createRequire(import.meta.url).resolve(`${name}/package.json`));

let standIn: TestWorker;
let worker: TestWorker;
let app: TestApp;

before(async () => {
  standIn = await startMailStandIn();
  worker = await startMailServer(secret, standIn.uri);
  app = await startApp(
    config.replaceAll('http://127.0.0.1:8800', worker.uri).replaceAll('http://127.0.0.1:8801', standIn.uri),
  );
  const status = await app.app.rooms.sources.refresh('default', 'mail');
  assert.equal(status.state, 'healthy', status.message);
});
after(async () => {
  await app?.close();
  await worker?.stop();
  await standIn?.stop();
});

/** What a person does in a browser: says that it is them, allows it at the provider, and comes back. */
async function consent(url: string, user: User): Promise<Page> {
  const browser = createBrowser();
  const allow = `Allow as ${mailboxOf[user]}`;
  let page = await browser.open(url);
  for (let pages = 0; pages < 3; pages++) {
    const isThere = page.url.startsWith(standIn.uri);
    page = await browser.submit(page, isThere ? { button: allow } : {});
    if (isThere) break;
  }
  assert.equal(page.status, 200, page.text);
  assert.match(page.text, /is connected/);
  return page;
}

const linkIn = (text: string) =>
  /http:\/\/127\.0\.0\.1:\d+\/connect\/[\w-]{43}/.exec(text)?.[0] ?? assert.fail(text);
const headersOf = (userId: string) => ({ Authorization: `Bearer ${app.key}`, 'Arcade-User-ID': userId });

describe('the Inspector', () => {
  /** Gives what it printed, and whether that was a result. */
  function inspect(era: string, userId: string, tool: string, args: object = {}): Promise<Json> {
    const manifest = packageRoot('@modelcontextprotocol/inspector');
    const { bin } = createRequire(import.meta.url)(join(manifest, 'package.json')) as Json;
    const cli = join(manifest, Object.values(bin)[0] as string);
    const headers = Object.entries(headersOf(userId)).flatMap(([name, value]) => [
      '--header',
      `${name}: ${value}`,
    ]);
    const given = Object.entries(args).map(([name, value]) => `${name}=${value}`);
    const method = [
      '--method',
      'tools/call',
      '--tool-name',
      tool,
      ...(given.length > 0 ? ['--tool-arg', ...given] : []),
    ];
    const options = ['--transport', 'http', '--protocol-era', era, ...headers, '--format', 'json', ...method];
    return new Promise((resolve) => {
      const line = [cli, '--cli', `${app.url}/mcp/mail`, ...options];
      execFile(process.execPath, line, { timeout: 60_000 }, (error, stdout, stderr) =>
        resolve(error === null ? JSON.parse(stdout) : { error: `${stdout}\n${stderr}` }),
      );
    });
  }

  for (const era of ['legacy', 'modern']) {
    it(`shows each of two users their own mailbox once they consented (${era})`, async () => {
      await Promise.all(
        users.map(async (user) => {
          const userId = `${user}-inspects-${era}`;
          const refused = await inspect(era, userId, 'Mail_WhoAmI');
          await consent(linkIn(JSON.stringify(refused)), user);
          const { result } = await inspect(era, userId, 'Mail_WhoAmI');
          const { address, userId: told } = result.structuredContent;
          assert.deepEqual([address, told], [mailboxOf[user], userId]);
        }),
      );
    });
  }
});

describe('arcadejs, unchanged', () => {
  const newClient = () => new Arcade({ baseURL: app.url, apiKey: app.key, maxRetries: 0 });
  const execute = async (user_id: string, tool_name: string, input: Record<string, unknown> = {}) => {
    const { output } = await newClient().tools.execute({ user_id, tool_name, input });
    return output?.value as Json;
  };
  const addressOf = async (userId: string) => (await execute(userId, 'Mail.WhoAmI')).address;

  it('begins an authorization and waits for its end, for two users at once', async () => {
    const scopes = ['https://www.googleapis.com/auth/gmail.readonly'];
    await Promise.all(
      users.map(async (user) => {
        const userId = `${user}-by-start`;
        const { auth } = newClient();
        const begun = await auth.start(userId, 'google', { scopes });
        assert.equal(begun.status, 'pending');
        const [done] = await Promise.all([auth.waitForCompletion(begun), consent(begun.url ?? '', user)]);
        assert.equal(done.status, 'completed');
        const profile = await fetch(`${standIn.uri}/gmail/v1/users/me/profile`, {
          headers: { authorization: `Bearer ${done.context?.token}` },
        });
        assert.equal(((await profile.json()) as Json).emailAddress, mailboxOf[user]);
        assert.equal(await addressOf(userId), mailboxOf[user]);
      }),
    );
  });

  it('authorizes a tool, waits, and runs it; a tool that needs more asks for that alone', async () => {
    const userId = 'alice-by-tool';
    const { tools, auth } = newClient();
    const authorize = async (tool_name: string) => {
      const begun = await tools.authorize({ tool_name, user_id: userId });
      await Promise.all([auth.waitForCompletion(begun), consent(begun.url ?? '', 'alice')]);
    };
    await authorize('Mail.ListMessages');
    const before = await execute(userId, 'Mail.ListMessages');
    await assert.rejects(
      execute(userId, 'Mail.SendMessage', { to: mailboxOf.bob, subject: 'Hi', body: '' }),
      Arcade.PermissionDeniedError,
    );
    await authorize('Mail.SendMessage');
    const subject = 'Lunch at noon';
    const sent = await execute(userId, 'Mail.SendMessage', { to: mailboxOf.bob, subject, body: 'Yes?' });
    assert.match(sent.id, /^msg-/);
    const listed = await execute(userId, 'Mail.ListMessages');
    assert.deepEqual([listed.length, listed[0].subject], [before.length + 1, subject]);
  });

  it('asks for consent by the way of its zod tools, and gets the result by the same function afterwards', async () => {
    const client = newClient();
    await Promise.all(
      users.map(async (user) => {
        const userId = `${user}-by-zod`;
        const definition = await client.tools.get('Mail.WhoAmI');
        const [tool] = toZod({
          tools: [definition],
          client,
          userId,
          executeFactory: executeOrAuthorizeZodTool,
        });
        const refused = (await tool?.execute({})) as Json;
        assert.equal(refused.authorization_required, true);
        await consent(refused.url, user);
        const done = (await tool?.execute({})) as Json;
        assert.equal(done.output.value.address, mailboxOf[user]);
      }),
    );
  });

  it('never sees the mailbox of somebody else, however many ask at once', async () => {
    const ids = users.map((user) => ({ user, userId: `${user}-among-many` }));
    for (const { user, userId } of ids) {
      const begun = await newClient().tools.authorize({ tool_name: 'Mail.WhoAmI', user_id: userId });
      await consent(begun.url ?? '', user);
    }
    const calls = Array.from({ length: 60 }, (_, index) => ids[index % 2] as (typeof ids)[number]);
    const said = await Promise.all(calls.map(({ userId }) => addressOf(userId)));
    assert.deepEqual(
      said,
      calls.map(({ user }) => mailboxOf[user]),
    );
    await assert.rejects(addressOf('eve'), Arcade.PermissionDeniedError);
  });
});

describe('a client that keeps its connection', () => {
  for (const era of ['legacy', 'modern'] as const) {
    for (const opensLinks of [true, false]) {
      const name = `${era}, ${opensLinks ? 'opens links' : 'opens none'}`;
      it(`gets the result of the very same call after the consent, without connecting anew (${name})`, async () => {
        await Promise.all(
          users.map(async (user) => {
            const client = await connect(era, `${user}-${era}-${opensLinks}`, opensLinks);
            const first = await client.call();
            const link = linkIn(JSON.stringify(first));
            assertAskedAs(first, era, opensLinks);
            const waiting = client.resume(first);
            await consent(link, user);
            const done = (await waiting) ?? (await client.call());
            assert.equal(done.result.structuredContent.address, mailboxOf[user]);
          }),
        );
      });
    }
  }

  function assertAskedAs({ result, error }: Json, era: string, opensLinks: boolean): void {
    if (!opensLinks) {
      assert.equal(result.isError, true);
      assert.match(result._meta.authorization_url, /\/connect\//);
      assert.equal(result.structuredContent.authorization_url, result._meta.authorization_url);
      assert.ok(result.content[0].text.includes(result._meta.authorization_url));
    } else if (era === 'legacy') assert.equal(error.code, -32042);
    else
      assert.deepEqual(
        [result.resultType, result.inputRequests.authorization.params.mode],
        ['input_required', 'url'],
      );
  }

  /** One session of the legacy era, or what a modern client repeats; never opened again. */
  async function connect(era: 'legacy' | 'modern', userId: string, opensLinks: boolean) {
    const prefix = 'io.modelcontextprotocol/';
    const capabilities = opensLinks ? { elicitation: { url: {} } } : {};
    const clientInfo = { name: 'test', version: '1' };
    const version = era === 'legacy' ? '2025-11-25' : '2026-07-28';
    let headers: Record<string, string> = { 'arcade-user-id': userId, 'mcp-protocol-version': version };
    const params = { name: 'Mail_WhoAmI', arguments: {} };
    if (era === 'legacy') {
      const message = {
        id: 0,
        method: 'initialize',
        params: { protocolVersion: version, capabilities, clientInfo },
      };
      const hello = await app.rpc('mail', message, headers);
      headers = { ...headers, 'mcp-session-id': hello.headers.get('mcp-session-id') ?? '' };
    } else headers = { ...headers, 'mcp-method': 'tools/call', 'mcp-name': params.name };
    const meta = {
      [`${prefix}protocolVersion`]: version,
      [`${prefix}clientCapabilities`]: capabilities,
      [`${prefix}clientInfo`]: clientInfo,
    };
    async function call(more: object): Promise<Json> {
      const _meta = era === 'legacy' ? {} : { _meta: meta };
      const message = { id: 1, method: 'tools/call', params: { ...params, ..._meta, ...more } };
      return (await (await app.rpc('mail', message, headers)).json()) as Json;
    }
    return {
      call: () => call({}),
      /** What a client of today sends on while its user is at the browser; `null`: this one knows of no such thing. */
      async resume({ result }: Json): Promise<Json | null> {
        if (result?.resultType !== 'input_required') return null;
        const inputResponses = { authorization: { action: 'accept' } };
        return await call({ requestState: result.requestState, inputResponses });
      },
    };
  }
});

describe('a real browser', { skip: noChromium }, () => {
  it('leads a user from the address to the own mailbox, and shows neither code nor state in the end', async () => {
    const chromium = await startChromium();
    try {
      const client = new Arcade({ baseURL: app.url, apiKey: app.key });
      const begun = await client.tools.authorize({ tool_name: 'Mail.WhoAmI', user_id: 'alice-in-chromium' });
      const page = await chromium.newPage();
      await page.goto(begun.url ?? '');
      await page.locator('form button').first().click();
      await page.getByRole('button', { name: `Allow as ${mailboxOf.alice}` }).click();
      await page
        .getByText(/is connected/)
        .first()
        .waitFor();
      assert.doesNotMatch(page.url(), /code=|state=/);
      const done: Json = await client.tools.execute({
        tool_name: 'Mail.WhoAmI',
        user_id: 'alice-in-chromium',
      });
      assert.equal(done.output.value.address, mailboxOf.alice);
    } finally {
      await chromium.close();
    }
  });
});

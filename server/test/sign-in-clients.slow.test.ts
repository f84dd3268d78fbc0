import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { createBrowser } from './browser.ts';
import { type IdentityProvider, startIdentityProvider } from './identity-provider.ts';
import { type Json, startApp, startReferenceServer, type TestApp } from './start-app.ts';

const secret = 'a-worker-secret-of-more-than-32-bytes';
const require = createRequire(import.meta.url);
const binOf = (name: string, file: string) => join(dirname(require.resolve(`${name}/package.json`)), file);
/** The program of Claude Code, for who has it: it is too large, and not free enough, to come with the tests. */
const claude = process.env.SALLYPORT_TEST_CLAUDE;

let idp: IdentityProvider;
let worker: Awaited<ReturnType<typeof startReferenceServer>>;
let app: TestApp;
let home: string;
const children = new Set<ChildProcess>();

before(async () => {
  home = mkdtempSync(join(tmpdir(), 'sallyport-clients-'));
  idp = await startIdentityProvider();
  worker = await startReferenceServer(secret);
  app = await startApp(`
user_sources:
  - id: company
    name: Company
    issuer: "${idp.issuer}"
    client_id: "${idp.clientId}"
    client_secret: { value: "${idp.clientSecret}" }
    user_claim: email
workers:
  - { id: reference, http: { uri: "${worker.uri}", secret: "${secret}" } }
gateways:
  - { name: Tools, slug: tools, auth_type: user_source, user_source_id: company }
`);
  const status = await app.app.rooms.sources.refresh('default', 'reference');
  assert.equal(status.state, 'healthy', status.message);
});
after(async () => {
  for (const child of children) child.kill();
  await app?.close();
  await worker?.stop();
  await idp?.close();
  rmSync(home, { recursive: true, force: true });
});

/** What a person does with the page that a client opens: signs in at the company, allows, and is sent back to the client. */
async function personAt(url: string, login: string): Promise<string> {
  const browser = createBrowser();
  const back = await idp.signIn(url, login, browser);
  const consent = await browser.open(back);
  assert.match(consent.text, /act as you/, consent.text);
  const done = await browser.submit(consent, { button: 'Allow' });
  assert.equal(done.status, 200, `${done.url}: ${done.text}`);
  return consent.text;
}

/** Signs in as soon as what a client says has the address for it. */
function signInWhenAsked(login: string) {
  let said = '';
  let consent: Promise<string> | null = null;
  return {
    hear(text: string): void {
      said += text;
      const asked = /https?:\/\/[^\s"\p{Cc}]+\/oauth2\/authorize\?[^\s"\p{Cc}]+(?=[\s"\p{Cc}])/u.exec(
        said,
      )?.[0];
      if (asked !== undefined) consent ??= personAt(asked, login);
    },
    consent: async () => (await consent) ?? '',
  };
}

/** Runs a client to its end. */
async function run(
  command: string,
  args: readonly string[],
  options: { login?: string; env?: Record<string, string> } = {},
): Promise<{ readonly out: string; readonly consent: string }> {
  const child = spawn(command, args, {
    cwd: home,
    env: {
      PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
      HOME: home,
      BROWSER: 'true',
      ...options.env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.add(child);
  const signedIn = signInWhenAsked(options.login ?? '');
  let out = '';
  const read = (chunk: Buffer) => {
    out += chunk;
    if (options.login !== undefined) signedIn.hear(chunk.toString());
  };
  child.stdout.on('data', read);
  child.stderr.on('data', read);
  await once(child, 'close');
  children.delete(child);
  return { out, consent: await signedIn.consent() };
}

const urlOf = (slug: string) => `${app.url}/mcp/${slug}`;

describe('real clients sign in with the company account', () => {
  it('mcp-remote: registers, signs in, lists, and calls as that person', async () => {
    const transport = new StdioClientTransport({
      command: process.execPath,
      args: [
        binOf('mcp-remote', 'dist/proxy.js'),
        urlOf('tools'),
        '--allow-http',
        '--transport',
        'http-only',
      ],
      env: { PATH: process.env.PATH ?? '', HOME: home, MCP_REMOTE_CONFIG_DIR: join(home, 'mcp-remote') },
      stderr: 'pipe',
    });
    const signedIn = signInWhenAsked('alice');
    transport.stderr?.on('data', (chunk: Buffer) => signedIn.hear(chunk.toString()));
    const client = new Client({ name: 'test', version: '1' });
    await client.connect(transport);
    try {
      const { tools } = await client.listTools();
      assert.ok(tools.some(({ name }) => name === 'ArcadeEvalRef_Whoami'));
      const answer = await client.callTool({ name: 'ArcadeEvalRef_Whoami' });
      assert.match(JSON.stringify(answer.content), /alice@example\.com/);
      assert.match(await signedIn.consent(), /alice@example\.com/);
    } finally {
      await client.close();
    }
  });

  it('MCP Inspector: signs in, lists, and calls as that person', async () => {
    const inspector = binOf('@modelcontextprotocol/inspector', 'clients/launcher/build/index.js');
    const call = '--transport http --format json --method tools/call --tool-name ArcadeEvalRef_Whoami';
    const command = `${process.execPath} ${inspector} --cli ${urlOf('tools')} ${call}`;
    const ran = await run('script', ['-qec', command, '/dev/null'], { login: 'bob' });
    assert.match(ran.out, /bob@example\.com/);
    assert.match(ran.consent, /bob@example\.com/);
  });

  it('Claude Code: needs authentication, signs in, is connected', {
    skip: claude === undefined,
  }, async () => {
    const program = claude as string;
    const said = async (...args: string[]) => {
      return (await run(program, ['mcp', ...args])).out;
    };
    await said('add', '--transport', 'http', 'tools', urlOf('tools'));
    assert.match(await said('list'), /Needs authentication/);
    const browser = join(home, 'browser.sh');
    mkdirSync(join(home, 'opened'), { recursive: true });
    writeFileSync(browser, `#!/bin/sh\nprintf '%s\\n' "$1" >> ${join(home, 'opened/urls')}\n`);
    chmodSync(browser, 0o755);
    const login = await run('script', ['-qec', `${program} mcp login tools`, '/dev/null'], {
      login: 'alice',
      env: { BROWSER: browser },
    });
    assert.match(login.out, /Authenticated with "tools"/);
    assert.match(login.consent, /Claude Code.*claude\.ai.*localhost/);
    assert.match(readFileSync(join(home, 'opened/urls'), 'utf8'), /\/oauth2\/authorize\?/);
    assert.match(await said('list'), /Connected/);
  });

  it('what they called is in the log book, as that person, by that client', async () => {
    const records = (await app.records('&tool=ArcadeEvalRef.Whoami')) as Json[];
    assert.deepEqual(records.map(({ user_id }) => user_id).sort(), ['alice@example.com', 'bob@example.com']);
    for (const { decision, principal, client_id } of records) {
      assert.equal(decision, 'allowed');
      assert.match(principal, /^usr_/);
      assert.ok(client_id);
    }
  });
});

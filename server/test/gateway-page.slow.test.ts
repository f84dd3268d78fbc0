import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startApp, type TestApp } from './start-app.ts';

let server: TestApp;

before(async () => {
  server = await startApp(`
gateways:
  - slug: keys
    name: The secret project's tools
    description: Nobody may know
    tool_filter: { allowed_tools: ['*'] }
  - slug: people-v2
    auth_types: [arcade]
    tool_filter: { allowed_tools: ['*'] }
  - slug: both
    auth_types: [arcade_header, arcade]
    tool_filter: { allowed_tools: ['*'] }
  - slug: off
    status: inactive
    tool_filter: { allowed_tools: ['*'] }
`);
});
after(() => server.close());

const browser = { accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' };
const open = (slug: string, headers: Record<string, string> = browser) =>
  fetch(`${server.url}/mcp/${slug}`, { headers });

test('a browser sees what a gateway is, and how to connect to it by signing in', async () => {
  const response = await open('people-v2');
  assert.equal(response.status, 200);
  assert.match(response.headers.get('content-type') ?? '', /^text\/html/);
  const page = await response.text();
  assert.ok(page.includes(`claude mcp add --transport http people-v2 ${server.url}/mcp/people-v2`));
  assert.ok(page.includes(`codex mcp add people-v2 --url ${server.url}/mcp/people-v2`));
  for (const client of ['ChatGPT', 'VS Code', 'Cursor', 'MCP Inspector', 'mcp-remote', 'Any other client']) {
    assert.ok(page.includes(client), client);
  }
  assert.ok(!page.includes('YOUR_API_KEY'));
});

test('where a gateway takes keys, the commands send one', async () => {
  const page = await (await open('keys')).text();
  assert.match(page, /claude mcp add .*--header &quot;Authorization: Bearer YOUR_API_KEY&quot;/);
  const both = await (await open('both')).text();
  assert.match(
    both,
    /<pre data-what="command for Claude Code">claude mcp add --transport http both [^ ]*\/mcp\/both<\/pre>/,
  );
  assert.ok(both.includes('Without a browser'));
});

test('the page says nothing of a gateway but its address', async () => {
  const page = await (await open('keys')).text();
  assert.ok(!page.includes('secret project') && !page.includes('Nobody may know'));
});

test('an unknown and an inactive gateway are the same page', async () => {
  const unknown = await open('nowhere');
  const inactive = await open('off');
  assert.deepEqual([unknown.status, inactive.status], [404, 404]);
  assert.equal(await unknown.text(), await inactive.text());
});

test('no client of MCP gets the page: without a credential it is 401', async () => {
  for (const headers of [
    { accept: 'application/json, text/event-stream' },
    { accept: 'text/event-stream' },
    { accept: '*/*' },
    { accept: 'text/html, text/event-stream' },
    { accept: 'text/html', 'mcp-protocol-version': '2025-11-25' },
    { accept: 'text/html', 'mcp-session-id': 'x' },
    { accept: 'text/html', authorization: 'Bearer wrong' },
  ] as Record<string, string>[]) {
    const response = await open('people-v2', headers);
    assert.equal(response.status, 401, JSON.stringify(headers));
    await response.body?.cancel();
  }
  const posted = await fetch(`${server.url}/mcp/people-v2`, { method: 'POST', headers: browser });
  assert.equal(posted.status, 401);
});

test('the page runs only our script, is not framed, kept or sent anywhere', async () => {
  const { headers } = await open('both');
  const policy = headers.get('content-security-policy') ?? '';
  assert.match(policy, /default-src 'none'/);
  assert.match(policy, /script-src 'self'/);
  assert.match(policy, /frame-ancestors 'none'/);
  assert.doesNotMatch(policy, /unsafe/);
  assert.equal(headers.get('x-frame-options'), 'DENY');
  assert.equal(headers.get('cache-control'), 'no-store');
});

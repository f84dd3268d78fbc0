import {
  Client,
  StreamableHTTPClientTransport,
  type Tool,
  UrlElicitationRequiredError,
} from '@modelcontextprotocol/client';

/**
 * The "client" that the official suite tests: the gateway's upstream side. The suite gives the address of a server of its
 * own; this registers it as a source of a running gateway and does through the gateway what the scenario asks a client for.
 *
 *     CONFORMANCE_GATEWAY=http://… CONFORMANCE_KEY=sp_… node harness/conformance/drive-client.ts <url of the suite's server>
 */
const { CONFORMANCE_GATEWAY: origin = '', CONFORMANCE_KEY: key = '' } = process.env;
const {
  MCP_CONFORMANCE_SCENARIO: scenario = '',
  MCP_CONFORMANCE_CONTEXT: context = '{}',
  MCP_CONFORMANCE_PROTOCOL_VERSION: revision = '2025-11-25',
} = process.env;
/** Less than the suite gives the command, so that what fails still cleans up. */
const callTimeoutMs = 10_000;
/** A source that is never content is given up. */
const maxConsents = 5;
const uri = process.argv[2] ?? '';
const authorization = { Authorization: `Bearer ${key}` };
const user = 'conformance@example.com';

interface Call {
  readonly name: string;
  readonly arguments: Record<string, unknown>;
}

async function api(method: string, path: string, body?: object): Promise<unknown> {
  const answer = await fetch(`${origin}${path}`, {
    method,
    headers: { ...authorization, 'Content-Type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: HTTP ${answer.status}: ${await answer.text()}`);
  return answer.status === 204 ? null : await answer.json();
}

async function connect(slug: string): Promise<Client> {
  const mode = revision >= '2026-07-28' ? { pin: revision } : 'legacy';
  const client = new Client({ name: 'sallyport-conformance', version: '1.0.0' }, {
    capabilities: { elicitation: { form: { applyDefaults: true }, url: {} }, sampling: {}, roots: {} },
    versionNegotiation: { mode },
  } as ConstructorParameters<typeof Client>[1]);
  client.setRequestHandler('elicitation/create', async ({ params }) => {
    if (params.mode === 'url') await consentAt(params.url);
    return { action: 'accept', content: {} };
  });
  const headers = { ...authorization, 'Arcade-User-ID': user };
  const transport = new StreamableHTTPClientTransport(new URL(`${origin}/mcp/${slug}`), {
    requestInit: { headers },
  });
  await client.connect(transport);
  return client;
}

/** What the scenario names, or each tool once with arguments that suit it. */
function callsFor(tools: readonly Tool[]): readonly Call[] {
  const { toolCalls } = JSON.parse(context) as { toolCalls?: readonly Call[] };
  if (toolCalls !== undefined) return toolCalls;
  const focal = tools.find(({ name }) => name !== 'json_schema_echo');
  const fitting: Record<string, Record<string, unknown>> = {
    add_numbers: { a: 2, b: 3 },
    json_schema_echo: { schema: focal?.inputSchema },
    valid_tool: { region: 'eu' },
  };
  return tools.map(({ name }) => ({ name, arguments: fitting[name] ?? {} }));
}

/** Tools that are there to be listed only. */
const listedOnly = new Set(['json-schema-ref-no-deref']);

/** Clients of the older generation are told by an error to open a link, and to call again. */
async function callOf(client: Client, call: Call): Promise<void> {
  for (let consents = 0; ; consents++) {
    try {
      await client.callTool(call, { timeout: callTimeoutMs });
      return;
    } catch (thrown) {
      if (!(thrown instanceof UrlElicitationRequiredError) || consents >= maxConsents) throw thrown;
      for (const { url } of thrown.elicitations) await consentAt(url);
    }
  }
}

/**
 * The user at a browser: goes on where a page of the gateway asks whether to, and from there wherever it is sent. The suite's
 * authorization servers consent by themselves, so that it ends at the gateway again.
 */
async function consentAt(address: string): Promise<void> {
  const cookies = new Map<string, string>();
  const visit = async (url: string, init: RequestInit = {}) => {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const isOurs = new URL(url).origin === origin;
    const headers = { ...init.headers, ...(isOurs && cookie !== '' ? { Cookie: cookie } : {}) };
    const answer = await fetch(url, { ...init, headers, redirect: 'manual' });
    for (const set of isOurs ? answer.headers.getSetCookie() : []) {
      const [name = '', value = ''] = (set.split(';')[0] ?? '').split(/=(.*)/s);
      cookies.set(name, value);
    }
    return answer;
  };
  const asked = await (await visit(address)).text();
  const formToken = /name="form_token" value="([^"]+)"/.exec(asked)?.[1] ?? '';
  const body = new URLSearchParams({ form_token: formToken });
  const sent = await (await visit(address, { method: 'POST', headers: { Origin: origin }, body })).text();
  let next = /http-equiv="refresh" content="0;url=([^"]+)"/.exec(sent)?.[1]?.replaceAll('&amp;', '&') ?? null;
  for (let hops = 0; next !== null && hops < 10; hops++) {
    const answer = await visit(next);
    const location = answer.headers.get('location');
    if (location === null && !answer.ok) console.error(`the consent ended at: ${await answer.text()}`);
    next = location === null ? null : new URL(location, next).href;
  }
}

/**
 * Where the source shows its tools to nobody without consent, its tools are listed as our user; once more where it moves to another
 * authorization server right afterwards.
 */
async function connectList(): Promise<void> {
  for (let consents = 0; consents < 2; consents++) {
    const { healthy } = (await api('GET', `/v1/workers/${id}/health`)) as { healthy: boolean };
    if (healthy) return;
    const asked = await api('POST', `/v1/workers/${id}/authorize`, { user_id: user });
    await consentAt((asked as { authorization_url: string }).authorization_url);
  }
  await api('GET', `/v1/workers/${id}/health`);
}

/** As whom the gateway is registered there by hand: the scenario says so, or means a document that the suite has in mind. */
function clientOfHand(): object {
  if (scenario === 'auth/basic-cimd') {
    return { oauth2: { client_id: 'https://conformance-test.local/client-metadata.json' } };
  }
  const { client_id, client_secret, issuer } = JSON.parse(context) as Record<string, string | undefined>;
  return client_id === undefined ? {} : { oauth2: { client_id, client_secret, authorization_url: issuer } };
}

async function drive(client: Client): Promise<void> {
  const capabilities = client.getServerCapabilities() ?? {};
  if (capabilities.tools !== undefined) {
    const { tools } = await client.listTools();
    for (const call of listedOnly.has(scenario) ? [] : callsFor(tools)) {
      if (call.name !== 'json_schema_2020_12_tool') await callOf(client, call);
    }
  }
  if (capabilities.resources !== undefined) {
    for (const resource of (await client.listResources()).resources) {
      await client.readResource({ uri: resource.uri });
    }
  }
  if (capabilities.prompts !== undefined) {
    for (const { name } of (await client.listPrompts()).prompts) await client.getPrompt({ name });
  }
}

const id = `suite-${scenario.replaceAll(/[^a-z0-9]+/g, '-')}-${process.pid}`;
await api('POST', '/v1/workers', { id, type: 'mcp', mcp: { uri, ...clientOfHand() } });
try {
  if (scenario.startsWith('auth/')) await connectList();
  const filter = { allowed_tools: [`${id}.*`] };
  await api('POST', '/v1/gateways', {
    name: id,
    slug: id,
    auth_types: ['arcade_header'],
    naming: 'source',
    tool_filter: filter,
  });
  const client = await connect(id);
  try {
    await drive(client);
  } finally {
    await client.close();
  }
} finally {
  // The suite waits until nobody is connected to its server any more.
  await api('DELETE', `/v1/workers/${id}`);
}

import { Client, StreamableHTTPClientTransport, type Tool } from '@modelcontextprotocol/client';

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
const uri = process.argv[2] ?? '';
const authorization = { Authorization: `Bearer ${key}` };

interface Call {
  readonly name: string;
  readonly arguments: Record<string, unknown>;
}

async function api(method: string, path: string, body?: object): Promise<void> {
  const answer = await fetch(`${origin}${path}`, {
    method,
    headers: { ...authorization, 'Content-Type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: HTTP ${answer.status}: ${await answer.text()}`);
}

async function connect(slug: string): Promise<Client> {
  const mode = revision >= '2026-07-28' ? { pin: revision } : 'legacy';
  const client = new Client({ name: 'sallyport-conformance', version: '1.0.0' }, {
    capabilities: { elicitation: { form: { applyDefaults: true }, url: {} }, sampling: {}, roots: {} },
    versionNegotiation: { mode },
  } as ConstructorParameters<typeof Client>[1]);
  client.setRequestHandler('elicitation/create', async () => ({ action: 'accept', content: {} }));
  const headers = { ...authorization, 'Arcade-User-ID': 'conformance@example.com' };
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

async function drive(client: Client): Promise<void> {
  const capabilities = client.getServerCapabilities() ?? {};
  if (capabilities.tools !== undefined) {
    const { tools } = await client.listTools();
    for (const call of listedOnly.has(scenario) ? [] : callsFor(tools)) {
      if (call.name !== 'json_schema_2020_12_tool') await client.callTool(call, { timeout: callTimeoutMs });
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
await api('POST', '/v1/workers', { id, type: 'mcp', mcp: { uri } });
try {
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

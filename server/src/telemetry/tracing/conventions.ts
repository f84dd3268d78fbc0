import type { MetricSnapshot, SeriesSnapshot } from '../metrics/contract.ts';
import type { Attributes, Span } from './contract.ts';

/**
 * The one table from what we know to the names that OpenTelemetry's conventions for MCP, generative AI, HTTP and RPC have for it;
 * what they have no name for is under `sallyport.`. These conventions still move: a name that changes, changes here.
 */
const names = {
  mcpMethod: 'mcp.method.name',
  mcpSession: 'mcp.session.id',
  mcpVersion: 'mcp.protocol.version',
  resourceUri: 'mcp.resource.uri',
  requestId: 'jsonrpc.request.id',
  rpcCode: 'rpc.response.status_code',
  operation: 'gen_ai.operation.name',
  toolName: 'gen_ai.tool.name',
  promptName: 'gen_ai.prompt.name',
  httpMethod: 'http.request.method',
  httpRoute: 'http.route',
  httpStatus: 'http.response.status_code',
  serverAddress: 'server.address',
  serverPort: 'server.port',
  transport: 'network.transport',
  protocol: 'network.protocol.name',
  project: 'sallyport.project',
  gateway: 'sallyport.gateway',
  source: 'sallyport.source',
  tool: 'sallyport.tool',
  execution: 'sallyport.execution.id',
  decision: 'sallyport.decision',
} as const;

/** Never arguments, results, user ids, addresses of clients, or anything else that tells of a person. */
export type Facts = { readonly [Fact in keyof typeof names]?: string | number | boolean | null | undefined };

/** Says it of a span that is kept. */
export function describe(span: Span, facts: Facts): void {
  if (span.sampled) span.set(attributesOf(facts));
}

export function attributesOf(facts: Facts): Attributes {
  const attributes: Record<string, string | number | boolean> = {};
  for (const [fact, value] of Object.entries(facts)) {
    if (value !== null && value !== undefined) attributes[names[fact as keyof typeof names]] = value;
  }
  return attributes;
}

/** `{mcp.method.name} {gen_ai.tool.name}`: only what is known here stands in a name, not whatever a client writes. */
export function spanName(method: string, about: string | null): string {
  return about === null ? method : `${method} ${about}`;
}

/** Where another system is, as far as its address says. */
export function serverOf(uri: string): Facts {
  if (!URL.canParse(uri)) return {};
  const { protocol, hostname, port } = new URL(uri);
  if (hostname === '') return {};
  const serverPort = port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port);
  return { serverAddress: hostname, serverPort, transport: 'tcp', protocol: 'http' };
}

/** `error.type` of a tool that ran, and says that it failed. */
export const toolError = 'tool_error';

/** The method behind each kind of record; those that stand for several have none. */
const methods: Readonly<Record<string, string>> = {
  tool_call: 'tools/call',
  tool_list: 'tools/list',
  prompt_get: 'prompts/get',
  prompt_list: 'prompts/list',
  resource_read: 'resources/read',
  resource_list: 'resources/list',
  resource_subscribe: 'resources/subscribe',
  completion: 'completion/complete',
};
const durations = 'sallyport_call_duration_seconds';

/** What our metrics say, once more under the names of the conventions. */
export function semanticMetrics(snapshots: readonly MetricSnapshot[]): readonly MetricSnapshot[] {
  const ours = snapshots.find(({ name }) => name === durations);
  if (ours === undefined) return [];
  const at = (label: string) => ours.labels.indexOf(label);
  const [project, gateway, kind, decision] = ['project', 'gateway', 'kind', 'decision'].map(at);
  const series = ours.series.flatMap((one): SeriesSnapshot[] => {
    const valueAt = (index: number | undefined) => one.values[index ?? -1] ?? '';
    const method = methods[valueAt(kind)];
    if (method === undefined || valueAt(gateway) === '') return [];
    const error = valueAt(decision) === 'allowed' ? '' : valueAt(decision);
    return [{ ...one, values: [method, error, valueAt(project), valueAt(gateway)] }];
  });
  const labels = [names.mcpMethod, 'error.type', names.project, names.gateway];
  const help = 'How long requests of MCP clients took, as seen here.';
  return [{ ...ours, name: 'mcp.server.operation.duration', help, labels, series }];
}

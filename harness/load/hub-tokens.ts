import type { GatewayProcess } from '../gateway-process.ts';
import { listedTool } from './many-tools.ts';

/** What a list of tools costs a model to read. */
export interface TokenCost {
  readonly name: string;
  readonly tools: number;
  readonly bytes: number;
  readonly tokens: number;
}

/** What a model is given of a tool. */
interface Readable {
  readonly name: string;
  readonly description?: string;
  readonly inputSchema: unknown;
}

const toolsPerSource = 1000;

/** The tools that a gateway lists with the hub in front, beside lists of so many tools. */
export async function measureTokens(
  gateway: GatewayProcess,
  slug: string,
  counts: readonly number[],
): Promise<TokenCost[]> {
  const six = await listOf(gateway, slug);
  return [
    costOf('the hub, whatever stands behind it', six),
    ...counts.map((count) =>
      costOf(
        'every tool in the list',
        Array.from({ length: count }, (_, at) =>
          listedTool(Math.floor(at / toolsPerSource), at % toolsPerSource),
        ),
      ),
    ),
  ];
}

function costOf(name: string, tools: readonly Readable[]): TokenCost {
  const read = tools.map((tool) =>
    JSON.stringify({ name: tool.name, description: tool.description, input_schema: tool.inputSchema }),
  );
  return {
    name,
    tools: tools.length,
    bytes: read.reduce((sum, text) => sum + Buffer.byteLength(text), 0),
    tokens: read.reduce((sum, text) => sum + tokensOf(text), 0),
  };
}

/** Letters of a word that tokenizers take together; longer words are several. */
const lettersPerToken = 12;

/**
 * About what a tokenizer makes of a text: a word with the space before it, three digits, four signs. An estimate: on tools in JSON,
 * these and those of the retrieval sets, it is within 3 % of what `o200k_base` counts.
 */
export function tokensOf(text: string): number {
  let tokens = 0;
  for (const [piece] of text.matchAll(/ ?\p{L}+|\p{N}{1,3}|[^\p{L}\p{N}\s]{1,4}|\s+/gu))
    tokens += /\p{L}/u.test(piece) ? Math.ceil(piece.trim().length / lettersPerToken) : 1;
  return tokens;
}

async function listOf({ origin, key }: GatewayProcess, slug: string): Promise<Readable[]> {
  const answer = await fetch(`${origin}/mcp/${slug}`, {
    method: 'POST',
    headers: {
      Authorization: `Bearer ${key}`,
      'Arcade-User-ID': 'bench@example.com',
      'Content-Type': 'application/json',
      Accept: 'application/json, text/event-stream',
      'MCP-Protocol-Version': '2026-07-28',
      'Mcp-Method': 'tools/list',
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/list',
      params: {
        _meta: {
          'io.modelcontextprotocol/protocolVersion': '2026-07-28',
          'io.modelcontextprotocol/clientInfo': { name: 'sallyport-bench', version: '1.0.0' },
          'io.modelcontextprotocol/clientCapabilities': {},
        },
      },
    }),
  });
  const text = await answer.text();
  const { result } = JSON.parse(text) as { result?: { tools: Readable[] } };
  if (result === undefined) throw new Error(`tools cannot be listed: ${text.slice(0, 300)}`);
  return result.tools;
}

import type { CallToolResult, Client, Tool } from '@modelcontextprotocol/client';
import { CommandError } from '../command-error.ts';
import type { Mapping } from '../files/values.ts';
import type { Io } from '../output/io.ts';
import { version } from '../version.ts';
import { beginning, bounded } from './bounded.ts';
import { unreachable } from './send.ts';
import { ServerRefusal } from './server-refusal.ts';

/** A gateway as a real client of MCP meets it. */

export const eras = ['auto', '2025-11-25', '2026-07-28'] as const;
export type Era = (typeof eras)[number];

export interface GatewayClient {
  tools(): Promise<readonly Tool[]>;
  call(name: string, input: Mapping, timeoutMs: number): Promise<CallToolResult>;
  close(): Promise<void>;
}

export interface GatewayClientOptions {
  readonly url: string;
  readonly authorization: string;
  /** For whom an API key speaks. */
  readonly user?: string | undefined;
  readonly era: Era;
}

export async function openGateway(
  io: Pick<Io, 'fetch' | 'signal'>,
  { url, authorization, user, era }: GatewayClientOptions,
): Promise<GatewayClient> {
  const sdk = await import('@modelcontextprotocol/client');
  const mode = era === 'auto' ? 'auto' : era === '2026-07-28' ? { pin: era } : 'legacy';
  const client: Client = new sdk.Client({ name: 'sallyport-cli', version }, { versionNegotiation: { mode } });
  const transport = new sdk.StreamableHTTPClientTransport(new URL(url), {
    fetch: (input, init) => refusing(io, input, init),
    requestInit: {
      headers: { authorization, ...(user === undefined ? {} : { 'arcade-user-id': user }) },
      signal: io.signal,
    },
  });
  await told(url, () => client.connect(transport));
  return {
    tools: () => told(url, async () => (await client.listTools()).tools),
    call: (name, input, timeoutMs) =>
      told(url, async () =>
        client.callTool(
          { name, arguments: input },
          { timeout: timeoutMs, signal: io.signal, resetTimeoutOnProgress: true },
        ),
      ),
    async close() {
      // Sessions of older revisions: the server need not wait for us.
      await transport.terminateSession().catch(() => undefined);
      await client.close();
    },
  };
}

/** A refusal of the request as a whole is told as it is; what an SDK makes of it would be about the protocol. */
async function refusing(
  io: Pick<Io, 'fetch'>,
  input: string | URL,
  init: RequestInit | undefined,
): Promise<Response> {
  const response = await io.fetch(input, { ...init, redirect: 'manual' }).catch((error: unknown) => {
    throw init?.signal?.aborted === true ? error : unreachable(new URL(input).origin, error);
  });
  if (response.status >= 300 && response.status < 400) {
    throw new CommandError('remote.redirected', `${new URL(input).origin} sends requests on elsewhere`);
  }
  if (response.ok || init?.method !== 'POST') return bounded(response, greatestBytes);
  const text = await beginning(response, refusalMs);
  const refused = refusalIn(response.status, text);
  if (refused !== null && ends.test(refused.code)) throw refused;
  return new Response(text, { status: response.status, headers: response.headers });
}

/** Of one answer. */
const greatestBytes = 64 * 1024 * 1024;
const refusalMs = 10_000;

/** What no other revision of the protocol would change. */
const ends = /^(identity|gateway|policy|credentials|server)\./;

function refusalIn(status: number, text: string): ServerRefusal | null {
  try {
    const { error } = JSON.parse(text);
    const code = error?.data?.name;
    if (typeof code !== 'string' || typeof error.message !== 'string') return null;
    return new ServerRefusal(status, { name: code, message: error.message });
  } catch {
    return null;
  }
}

/** An error of the SDK, in our words. */
async function told<T>(url: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    for (let found = error; found instanceof Error; found = found.cause as Error) {
      if (found instanceof CommandError) throw found;
      const code = (found as { data?: { name?: unknown } }).data?.name;
      if (typeof code === 'string') throw new ServerRefusal(400, { name: code, message: found.message });
    }
    const message = error instanceof Error ? error.message : String(error);
    throw new CommandError('gateway.failed', `${url}: ${message}`, [], { cause: error });
  }
}

import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { Ajv, type ValidateFunction } from 'ajv';
import type { Json } from './start-app.ts';

/**
 * A hook server that knows nothing but the published contract (`hook-contract.json`: its schemas): every request is held to
 * it, and what is not in it is a problem, too.
 */
export interface HookServer {
  readonly url: string;
  /** What was asked, in order; without questions for its health. */
  readonly asked: readonly {
    readonly path: string;
    readonly body: Json;
    readonly headers: IncomingMessage['headers'];
  }[];
  /** What of it was against the contract. */
  readonly problems: readonly string[];
  /** What it answers, by path; `{code: 'OK'}` or `{}` where nothing is said. */
  readonly answers: { [path: string]: (body: Json) => object | Promise<object> };
  /** Answers in another way than the contract says. */
  misbehave: ((request: IncomingMessage, response: ServerResponse) => void) | null;
  health: { status: number; body: unknown };
  /** How often it was asked for its health. */
  healthChecks: number;
  close(): Promise<void>;
}

const requestOf: Readonly<Record<string, string>> = {
  '/access': 'AccessHookRequest',
  '/pre': 'PreHookRequest',
  '/post': 'PostHookRequest',
};

function loadContract(): ReadonlyMap<string, ValidateFunction> {
  const contract = JSON.parse(readFileSync(new URL('hook-contract.json', import.meta.url), 'utf8'));
  const ajv = new Ajv({ strict: false, allErrors: true });
  ajv.addSchema(closed(contract), 'contract');
  return new Map(
    Object.entries(requestOf).map(([path, name]) => [
      path,
      ajv.compile({ $ref: `contract#/components/schemas/${name}` }),
    ]),
  );
}

/** The same schemas, of objects that hold nothing else. */
function closed(schema: Json): Json {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== 'object' || schema === null) return schema;
  const members = Object.fromEntries(Object.entries(schema).map(([name, member]) => [name, closed(member)]));
  const isOpen = schema.type === 'object' && schema.additionalProperties === undefined;
  return isOpen ? { ...members, additionalProperties: false } : members;
}

const validators = loadContract();

export async function startHookServer(
  options: { token?: string; tls?: ServerOptions } = {},
): Promise<HookServer> {
  const asked: { path: string; body: Json; headers: IncomingMessage['headers'] }[] = [];
  const problems: string[] = [];
  const answers: HookServer['answers'] = {};
  const state: Pick<HookServer, 'misbehave' | 'health' | 'healthChecks'> = {
    misbehave: null,
    health: { status: 200, body: { status: 'healthy' } },
    healthChecks: 0,
  };
  const say = (response: ServerResponse, status: number, body: unknown) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '';
    if (request.method === 'GET') {
      state.healthChecks++;
      say(response, state.health.status, state.health.body);
      return;
    }
    const sent = await text(request);
    const { headers } = request;
    if (options.token !== undefined && headers.authorization !== `Bearer ${options.token}`) {
      say(response, 401, { error: 'who are you?' });
      return;
    }
    const body = JSON.parse(sent);
    asked.push({ path, body, headers });
    const validate = validators.get(path);
    if (headers['content-type'] !== 'application/json')
      problems.push(`content-type: ${headers['content-type']}`);
    if (validate === undefined) problems.push(`${path} is not in the contract`);
    else if (!validate(body)) problems.push(`${path}: ${JSON.stringify(validate.errors)}`);
    if (state.misbehave !== null) state.misbehave(request, response);
    else say(response, 200, (await answers[path]?.(body)) ?? (path === '/access' ? {} : { code: 'OK' }));
  }

  const listener = (request: IncomingMessage, response: ServerResponse) => void serve(request, response);
  const server = options.tls === undefined ? createServer(listener) : createTlsServer(options.tls, listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return Object.assign(state, {
    url: `${options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    asked,
    problems,
    answers,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  });
}

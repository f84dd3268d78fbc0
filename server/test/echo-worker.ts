import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import type { Json } from './start-app.ts';

/** A worker whose tools, at first only `Kit.Echo`, say what they were told; with the head of every call. */
export interface EchoWorker {
  readonly uri: string;
  /** What they are called. */
  names: readonly string[];
  readonly heads: readonly IncomingHttpHeaders[];
  stop(): Promise<void>;
}

const text = { val_type: 'string' };
const toolOf = (name: string) => ({
  name,
  fully_qualified_name: `Kit.${name}`,
  toolkit: { name: 'Kit', version: '1.2.3' },
  input: { parameters: [{ name: 'text', required: true, value_schema: text }] },
  output: { value_schema: text },
});

export async function startEchoWorker(): Promise<EchoWorker> {
  const heads: IncomingHttpHeaders[] = [];
  const worker = { names: ['Echo'] as readonly string[], heads };
  const server = createServer(async (request, response) => {
    const say = (body: unknown) => response.end(JSON.stringify(body));
    response.setHeader('content-type', 'application/json');
    if (request.method === 'GET') return say(worker.names.map(toolOf));
    heads.push(request.headers);
    const { inputs } = (await json(request)) as Json;
    const output = { value: inputs.text, logs: null, error: null, requires_authorization: null };
    return say({ execution_id: '', finished_at: '', duration: 1, success: true, output });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return Object.assign(worker, {
    uri: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop() {
      server.closeAllConnections();
      return new Promise<void>((resolve) => server.close(() => resolve()));
    },
  });
}

import { once } from 'node:events';
import {
  createServer,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer, text } from 'node:stream/consumers';

/** A request to the worker, as somebody on the way saw it. */
export interface Captured {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface WorkerTap {
  /** What the gateway is told as the worker's address. */
  readonly uri: string;
  readonly captured: readonly Captured[];
  /** The next call is kept from the worker; whoever sent it gets an error. */
  interceptCall(): Promise<Captured>;
  close(): Promise<void>;
}

/** Stands between gateway and worker, as a tunnel or a proxy does, and keeps what passes. */
export async function startWorkerTap(worker: string): Promise<WorkerTap> {
  const captured: Captured[] = [];
  let intercept: ((request: Captured) => void) | null = null;
  const server = createServer(async (request, response) => {
    const { method = '', url: path = '', headers } = request;
    const seen = { method, path, headers, body: await buffer(request) };
    captured.push(seen);
    if (intercept !== null && method === 'POST') {
      intercept(seen);
      intercept = null;
      return void response.writeHead(502).end();
    }
    const answer = await forward(worker, seen);
    const type = answer.headers['content-type'];
    response.writeHead(answer.statusCode ?? 502, type === undefined ? {} : { 'content-type': type });
    response.flushHeaders();
    answer.pipe(response);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    uri: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    captured,
    interceptCall() {
      const { promise, resolve } = Promise.withResolvers<Captured>();
      intercept = resolve;
      return promise;
    },
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Straight to the worker, with no gateway in between. */
export async function sendToWorker(
  worker: string,
  request: Captured,
): Promise<{ readonly status: number; readonly body: string }> {
  const answer = await forward(worker, request);
  return { status: answer.statusCode ?? 0, body: await text(answer) };
}

async function forward(worker: string, { method, path, headers, body }: Captured): Promise<IncomingMessage> {
  const { 'transfer-encoding': _, connection: __, ...kept } = headers;
  const request = httpRequest(worker + path, {
    method,
    headers: { ...kept, host: new URL(worker).host, 'content-length': body.length },
  });
  const [answer] = await once(request.end(body), 'response');
  return answer;
}

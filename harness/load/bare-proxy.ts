import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Dispatcher, Pool } from 'undici';

/**
 * The yardstick: a proxy of `node:http` and undici that does nothing but pass on, by undici's cheapest way. As a process: the
 * origin behind it is the first argument.
 */
const behind = new Pool(process.argv[2] ?? '', { connections: 256, pipelining: 1 });

class Passing implements Dispatcher.DispatchHandler {
  readonly #response: ServerResponse;
  readonly #chunks: Buffer[] = [];
  #status = 0;
  #headers: Record<string, string | string[] | undefined> = {};

  constructor(response: ServerResponse) {
    this.#response = response;
  }
  onRequestStart(): void {}
  onResponseStart(
    _controller: unknown,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    this.#status = status;
    this.#headers = headers;
  }
  onResponseData(_controller: unknown, chunk: Buffer): void {
    this.#chunks.push(chunk);
  }
  onResponseEnd(): void {
    const body = this.#chunks.length === 1 ? this.#chunks[0] : Buffer.concat(this.#chunks);
    this.#response.writeHead(this.#status, { 'content-type': String(this.#headers['content-type']) });
    this.#response.end(body);
  }
  onResponseError(): void {
    this.#response.writeHead(502).end();
  }
}

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const { host: _host, connection: _connection, ...headers } = request.headers;
    const body = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
    const method = request.method as Dispatcher.HttpMethod;
    behind.dispatch({ path: request.url ?? '/', method, headers, body }, new Passing(response));
  });
});
server.keepAliveTimeout = 600_000;
server.listen(0, '127.0.0.1', () =>
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
);
process.on('SIGTERM', () => process.exit(0));

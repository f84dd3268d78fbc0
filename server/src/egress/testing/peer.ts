import assert from 'node:assert/strict';
import type { AddressInfo, Socket } from 'node:net';
import { createServer } from 'node:net';
import type { TestContext } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { EgressFailure, EgressOptions, Upstream, UpstreamRequest } from '../contract.ts';
import { createEgress } from '../egress.ts';

export interface Peer {
  readonly port: number;
  /** Every connection ever made, in order. */
  readonly sockets: Socket[];
  /** Heads of the requests that came, in order. */
  readonly requests: string[];
  /** Resolves once so many requests have come. */
  came(count: number): Promise<void>;
}

/** A server that answers each request with whatever bytes `answer` writes. */
export async function peer(t: TestContext, answer: (socket: Socket, request: string) => void): Promise<Peer> {
  const sockets: Socket[] = [];
  const requests: string[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    let text = '';
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1');
      for (let end = text.indexOf('\r\n\r\n'); end >= 0; end = text.indexOf('\r\n\r\n')) {
        const request = text.slice(0, end + 4);
        text = text.slice(end + 4);
        requests.push(request);
        answer(socket, request);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const came = async (count: number) => {
    while (requests.length < count) await turn();
  };
  return { port: (server.address() as AddressInfo).port, sockets, requests, came };
}

export function upstreamTo(t: TestContext, port: number, options: Partial<EgressOptions> = {}): Upstream {
  const egress = createEgress({ allow: [], ...options });
  t.after(() => egress.close());
  const upstream = egress.upstream(`http://127.0.0.1:${port}`, 'file');
  assert.ok(upstream.ok);
  return upstream.value;
}

export const GET: UpstreamRequest = {
  method: 'GET',
  path: '/',
  headers: '',
  timeoutMs: 5000,
  maxBytes: 10_000_000,
};
export const HELLO = 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello';

export async function failureOf(answer: ReturnType<Upstream['request']>): Promise<EgressFailure> {
  const result = await answer;
  assert.ok(!result.ok, 'it was answered');
  return result.error;
}

export async function bodyOf(answer: ReturnType<Upstream['request']>): Promise<string> {
  const result = await answer;
  assert.ok(result.ok, result.ok ? '' : result.error.message);
  return result.value.body.toString();
}

import { Agent, type IncomingHttpHeaders, request } from 'node:http';
import type { Json } from './start-app.ts';

/** What came back over one connection. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** The last message where it is a stream. */
  readonly body: Json;
  /** All of it, as it came. */
  readonly text: string;
}

/** Clients with a connection each, which stays open. */
export interface Connections {
  readonly all: readonly Connection[];
  close(): void;
}

export interface Connection {
  /** `onPiece` gets what came so far of the answer. */
  post(
    path: string,
    message: object,
    headers?: Record<string, string>,
    onPiece?: (text: string) => void,
  ): Promise<Answer>;
}

export function openConnections(url: string, count: number, fixed: Record<string, string>): Connections {
  const agents = Array.from({ length: count }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
  return {
    all: agents.map((agent) => ({ post: (...asked) => post(agent, url, fixed, ...asked) })),
    close() {
      for (const agent of agents) agent.destroy();
    },
  };
}

function post(
  agent: Agent,
  url: string,
  fixed: Record<string, string>,
  path: string,
  message: object,
  headers: Record<string, string> = {},
  onPiece: (text: string) => void = () => {},
): Promise<Answer> {
  const body = JSON.stringify({ jsonrpc: '2.0', ...message });
  return new Promise((resolve, reject) => {
    const asked = request(`${url}${path}`, {
      agent,
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'content-length': String(Buffer.byteLength(body)),
        ...fixed,
        ...headers,
      },
    });
    asked.on('error', reject);
    asked.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece) => {
        text += piece;
        onPiece(text);
      });
      response.on('error', reject);
      response.on('end', () =>
        resolve({
          status: response.statusCode as number,
          headers: response.headers,
          body: text === '' ? null : parsed(text),
          text,
        }),
      );
    });
    asked.end(body);
  });
}

function parsed(text: string): Json {
  const event = text.split('\n').findLast((line) => line.startsWith('data: '));
  return JSON.parse(event === undefined ? text : event.slice(6));
}

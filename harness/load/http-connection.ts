import { connect } from 'node:net';

export interface Answer {
  readonly status: number;
  /** The head as it came. */
  readonly head: string;
  readonly body: string;
  /** When the last byte had come, of `performance.now()`. */
  readonly endedAt: number;
}

export interface HttpConnection {
  /** One at a time. */
  exchange(request: string): Promise<Answer>;
  close(): void;
}

/** One kept-alive HTTP/1.1 connection on a plain socket: a load generator must cost less than what it measures. */
export function openConnection(host: string, port: number): HttpConnection {
  const socket = connect({ host, port, noDelay: true });
  let received: Buffer = Buffer.alloc(0);
  let waiting: { resolve: (answer: Answer) => void; reject: (error: Error) => void } | null = null;
  let broken: Error | null = null;

  const fail = (error: Error): void => {
    broken = error;
    waiting?.reject(error);
    waiting = null;
  };
  socket.on('error', fail);
  socket.on('close', () => fail(new Error('the connection was closed')));
  socket.on('data', (chunk) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    const answer = parseAnswer(received);
    if (answer === null || waiting === null) return;
    received = Buffer.alloc(0);
    const { resolve } = waiting;
    waiting = null;
    resolve(answer);
  });
  return {
    exchange(request) {
      return new Promise((resolve, reject) => {
        if (broken !== null) return reject(broken);
        waiting = { resolve, reject };
        socket.write(request);
      });
    },
    close: () => socket.destroy(),
  };
}

/** Null until the answer is complete. */
function parseAnswer(bytes: Buffer): Answer | null {
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd < 0) return null;
  const head = bytes.toString('latin1', 0, headEnd);
  const status = Number(head.slice(9, 12));
  const bodyStart = headEnd + 4;
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (length !== undefined) {
    const end = bodyStart + Number(length);
    return bytes.length < end ? null : finish(status, head, bytes.toString('utf8', bodyStart, end));
  }
  if (/\r\ntransfer-encoding: *chunked/i.test(head)) {
    const body = decodeChunks(bytes, bodyStart);
    return body === null ? null : finish(status, head, body);
  }
  return finish(status, head, '');
}

function finish(status: number, head: string, body: string): Answer {
  return { status, head, body, endedAt: performance.now() };
}

function decodeChunks(bytes: Buffer, start: number): string | null {
  const parts: Buffer[] = [];
  for (let at = start; ; ) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd < 0) return null;
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16);
    const next = lineEnd + 2 + size + 2;
    if (bytes.length < next) return null;
    if (size === 0) return Buffer.concat(parts).toString('utf8');
    parts.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = next;
  }
}

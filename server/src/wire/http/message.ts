import type { IncomingMessage } from 'node:http';
import type { WholeRequest } from './fast/whole-request.ts';

/** A request to a gateway, whichever way it was read. */
export type HttpRequest = IncomingMessage | WholeRequest;

/** All that an answer to it may need; a `ServerResponse` is one. */
export interface HttpResponse {
  /** Nothing more can be said: all was sent, or nobody is there. */
  readonly destroyed: boolean;
  readonly headersSent: boolean;
  /** Once the head is sent. */
  readonly statusCode: number;
  readonly writableEnded: boolean;
  /** All was handed to the operating system. */
  readonly writableFinished: boolean;
  /** Bytes that wait for the client to read. */
  readonly writableLength: number;
  setHeader(name: string, value: string): unknown;
  /** Without a `content-length` the answer may go on for as long as it likes. */
  writeHead(status: number, headers?: Readonly<Record<string, string | number>>): unknown;
  flushHeaders(): void;
  /** `false`: wait for `drain`, or keep what the client does not read. `left`: called when the bytes are kept no more. */
  write(chunk: string | Buffer, left?: () => void): boolean;
  end(chunk?: string | Buffer): unknown;
  /** Cuts the connection. */
  destroy(): unknown;
  once(event: 'close' | 'drain' | 'finish', listener: () => void): unknown;
}

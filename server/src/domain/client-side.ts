import type { RpcError } from './call.ts';

type Members = { readonly [member: string]: unknown };

/** Severities of MCP log messages (RFC 5424), the least severe first. */
export const logLevels = [
  'debug',
  'info',
  'notice',
  'warning',
  'error',
  'critical',
  'alert',
  'emergency',
] as const;
export type LogLevel = (typeof logLevels)[number];

/** What an MCP server may ask of the client while it works on a request. */
export const inputMethods = ['elicitation/create', 'sampling/createMessage', 'roots/list'] as const;
export type InputMethod = (typeof inputMethods)[number];

export interface InputRequest {
  readonly method: InputMethod;
  readonly params?: Members;
}
/** The client's answer: the result of its own making, or a JSON-RPC error. */
export type InputAnswer = { readonly result: Members } | { readonly error: RpcError };

/** The extension by which a call goes on after its answer (2026-07-28). */
export const taskExtension = 'io.modelcontextprotocol/tasks';

/** The client behind a request, as far as its source may know of it and make use of it. */
export interface ClientSide {
  /** What the client declared that it can do, in its own words; only what is in here may be asked of it. */
  readonly capabilities: Members;
  /**
   * Names the conversation that the request belongs to: a legacy client's session. Servers that keep sessions get one for
   * each conversation. `null` where the client keeps none: then the user and the capabilities name it.
   */
  readonly conversation: string | null;
  /** The least severe log message that the client wants; `any`: it never said, so what the server says by itself; `null`: none. */
  readonly logLevel: LogLevel | 'any' | null;
  /**
   * Asks the client in the middle of a request. Never throws: a client that goes away, is aborted or takes too long is an
   * error as an answer. `null` where the client cannot be asked so: then the outcome of the request is `input_required`.
   */
  readonly ask: ((request: InputRequest, signal: AbortSignal) => Promise<InputAnswer>) | null;
  /** What the client brings to an earlier `input_required`: its answers by key, and the source's own state. */
  readonly resume: {
    readonly responses: Members;
    readonly state: string | null;
    /** It proved that it was asked: it did not just know in advance what it would be. */
    readonly continues?: true;
  } | null;
}

/** A client that can be asked nothing and hears nothing: the REST API. */
export const silentClient: ClientSide = {
  capabilities: {},
  conversation: null,
  logLevel: null,
  ask: null,
  resume: null,
};

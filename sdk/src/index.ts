/**
 * `@sallyport/server`: write tools once; serve them over MCP (stdio, or HTTP in both protocol generations) and, where
 * a worker secret is set, as an Arcade-compatible worker behind a gateway. Owns both wire shapes, the check of worker
 * tokens and the life of the process. Never talks to a gateway itself: user, secrets and provider tokens come with
 * each call.
 */

export type { ToolServer } from './create-server.ts';
export { createServer } from './create-server.ts';
export type {
  ServerInfo,
  ToolAnnotationOptions,
  ToolBehavior,
  ToolHandler,
  ToolOptions,
} from './define-tool.ts';
export type { ToolErrorDetails } from './errors.ts';
export {
  ContextRequiredToolError,
  FatalToolError,
  NetworkTransportError,
  RetryableToolError,
  ToolError,
  UpstreamError,
} from './errors.ts';
export type { RunningServer } from './http-server.ts';
export type { ToolSchema } from './json-schema-of.ts';
export type { ServeOptions } from './settings.ts';
export type { Authorization, ElicitAnswer, LogLevel, ToolContext } from './tool-context.ts';

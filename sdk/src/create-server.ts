import type { StandardSchemaV1 } from '@modelcontextprotocol/server';
import type { ServerInfo, ToolHandler, ToolOptions } from './define-tool.ts';
import { defineTool } from './define-tool.ts';
import type { RunningServer } from './http-server.ts';
import type { ToolSchema } from './json-schema-of.ts';
import { runServer } from './run-server.ts';
import { serveHttp } from './serve-http.ts';
import type { ServeOptions } from './settings.ts';
import { resolveSettings } from './settings.ts';
import { createToolCatalog } from './tool-catalog.ts';

export interface ToolServer {
  /** Adds a tool. Throws at once where the tool cannot be listed or contradicts itself. */
  tool<Input extends ToolSchema = NoInput, Output extends ToolSchema | undefined = undefined>(
    options: ToolOptions<Input, Output>,
    handler: ToolHandler<Input, Output>,
  ): void;
  /** Serves as the process's own server: stdio or HTTP, until it is told to stop by SIGTERM or SIGINT. */
  run(options?: ServeOptions): Promise<void>;
  /** Serves HTTP inside a larger program, which stops it. */
  listen(options?: Omit<ServeOptions, 'transport'>): Promise<RunningServer>;
}

type NoInput = StandardSchemaV1<Record<string, never>>;

const semanticVersion = /^\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?$/;
const toolkitName = /^[A-Za-z0-9]+(?:_[A-Za-z0-9]+)*$/;

/** A server of tools: over MCP, and as a worker behind a gateway where a worker secret is set. */
export function createServer(info: ServerInfo): ToolServer {
  if (!toolkitName.test(info.name)) {
    throw new TypeError(`server name "${info.name}" must be letters, digits and single underscores`);
  }
  if (!semanticVersion.test(info.version)) {
    throw new TypeError(`server version "${info.version}" must be a semantic version such as 1.0.0`);
  }
  const catalog = createToolCatalog(info);
  return {
    tool: (options, handler) => catalog.add(defineTool(info, options, handler)),
    run: (options = {}) => runServer(info, catalog, resolveSettings(options)),
    listen: (options = {}) => serveHttp(info, catalog, resolveSettings(options)),
  };
}

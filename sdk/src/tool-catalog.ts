import type { DefinedTool, ServerInfo } from './define-tool.ts';

export interface ToolCatalog {
  add(tool: DefinedTool): void;
  all(): DefinedTool[];
  /** Names compare without regard to case, as in Python workers; a toolkit or version left out matches. */
  find(name: string, toolkit?: string | null, version?: string | null): DefinedTool | null;
}

export function createToolCatalog(server: ServerInfo): ToolCatalog {
  const tools = new Map<string, DefinedTool>();
  return {
    add(tool) {
      const key = tool.wire.name.toLowerCase();
      if (tools.has(key)) throw new TypeError(`tool "${tool.wire.name}" is defined twice`);
      tools.set(key, tool);
    },
    all: () => [...tools.values()],
    find(name, toolkit, version) {
      if (toolkit && toolkit.toLowerCase() !== server.name.toLowerCase()) return null;
      if (version && version !== server.version) return null;
      return tools.get(name.toLowerCase()) ?? null;
    },
  };
}

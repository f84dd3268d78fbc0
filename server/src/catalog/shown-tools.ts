import type { JsonSchema, Tool, ToolCuration } from '#domain';
import { checkArguments, shownSchema } from './arguments.ts';
import type { ShownTool } from './contract.ts';
import { KeptTool } from './kept-tool.ts';
import { plainName } from './wire-names.ts';

type Arguments = Parameters<ShownTool['arguments']>[0];

/** Of the definition, what has the same digest has the same schema. */
const checkedBy = (tool: Tool): string | null => (tool instanceof KeptTool ? tool.listing.digest : null);

/** A tool under its plain name, as its source describes it. */
export class PlainTool implements ShownTool {
  readonly tool: KeptTool;
  name: string | null = null;

  constructor(tool: KeptTool) {
    this.tool = tool;
  }

  get wireName(): string {
    this.name ??= plainName(this.tool.toolkit.name, this.tool.name);
    return this.name;
  }
  get description(): string {
    return this.tool.description;
  }
  get inputSchema(): JsonSchema {
    return this.tool.inputSchema;
  }
  get mcp(): Tool['mcp'] {
    return this.tool.mcp;
  }
  arguments(given: Arguments) {
    return checkArguments(this.tool.inputSchema, null, given, checkedBy(this.tool));
  }
  takes(args: Arguments) {
    return checkArguments(this.tool.inputSchema, null, args, checkedBy(this.tool));
  }
}

/** A tool under a name of its own, with its face changed as the gateway wants. */
export class NamedTool implements ShownTool {
  readonly tool: Tool;
  readonly wireName: string;
  readonly curation: ToolCuration | null;
  readonly ofMcp: (() => Tool['mcp']) | null;
  schema: JsonSchema | null = null;

  constructor(
    tool: Tool,
    wireName: string,
    curation: ToolCuration | null = null,
    mcp: (() => Tool['mcp']) | null = null,
  ) {
    this.tool = tool;
    this.wireName = wireName;
    this.curation = curation;
    this.ofMcp = mcp;
  }

  get description(): string {
    return this.curation?.description ?? this.tool.description;
  }
  get fixed(): Arguments {
    return this.curation?.arguments.fixed ?? {};
  }
  get inputSchema(): JsonSchema {
    if (this.curation === null) return this.tool.inputSchema;
    this.schema ??= shownSchema(this.tool.inputSchema, this.curation.arguments);
    return this.schema;
  }
  get mcp(): Tool['mcp'] {
    return this.ofMcp === null ? this.tool.mcp : this.ofMcp();
  }
  arguments(given: Arguments) {
    const { inputSchema } = this.tool;
    return checkArguments(inputSchema, this.curation?.arguments ?? null, given, checkedBy(this.tool));
  }
  takes(args: Arguments) {
    return checkArguments(this.tool.inputSchema, null, args, checkedBy(this.tool));
  }
}

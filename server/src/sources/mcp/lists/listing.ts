import { noRequirements, type ToolMetadata } from '@sallyport/contracts';
import type { SourceStatus, ToolListing } from '#domain';
import { err, isMembers, type Members, ok } from '#foundation';
import type { ToolForm } from '../../tool-intake.ts';
import { paramHeadersOf } from '../headers.ts';
import { parametersOf, valueSchemaOf } from './parameters.ts';

export interface About {
  /** The id of the source: names that servers give themselves are not unique. */
  readonly toolkit: string;
  readonly serverInfo: SourceStatus['serverInfo'];
  readonly modern: boolean;
}

/** How an MCP server writes tools; what cannot be used is told with the reason. */
export function serverForm(about: About): ToolForm {
  return {
    read(entry, index) {
      const reason = isMembers(entry) ? problemOf(entry, about) : 'it is not an object';
      if (reason !== null) return err({ name: nameOf(entry, index), reason });
      return ok(listingOf(entry as Members, about));
    },
    nameOf,
  };
}

function nameOf(entry: unknown, index: number): string {
  const name = isMembers(entry) && typeof entry.name === 'string' ? entry.name.slice(0, 128) : '';
  return name === '' ? `entry ${index + 1}` : name;
}

function problemOf(tool: Members, { modern }: About): string | null {
  const { name, inputSchema, outputSchema, description } = tool;
  if (typeof name !== 'string' || name === '') return 'it has no name';
  if (name.length > 128) return 'its name is longer than 128 characters';
  if (hasControlCharacter(name)) return 'its name holds control characters';
  if (!isMembers(inputSchema)) return 'its inputSchema is not an object';
  if (inputSchema.type !== undefined && inputSchema.type !== 'object')
    return 'its inputSchema does not describe an object';
  if (outputSchema !== undefined && outputSchema !== null && !isMembers(outputSchema)) {
    return 'its outputSchema is not an object';
  }
  if (description !== undefined && description !== null && typeof description !== 'string') {
    return 'its description is not text';
  }
  const headers = modern ? paramHeadersOf(inputSchema) : null;
  return headers === null || headers.ok ? null : `${headers.error}, which the protocol forbids`;
}

function listingOf(tool: Members, { toolkit, serverInfo }: About): ToolListing {
  const { name, description, inputSchema, outputSchema, ...mcp } = tool;
  const output = isMembers(outputSchema) ? outputSchema : null;
  const input: Members = { type: 'object', ...(inputSchema as Members) };
  return {
    toolkit: {
      name: toolkit,
      version: serverInfo?.version || null,
      description: serverInfo?.description ?? null,
    },
    name: name as string,
    description: typeof description === 'string' ? description : '',
    inputSchema: input,
    outputSchema: output,
    parameters: parametersOf(input),
    output: {
      description: null,
      availableModes: ['value', 'error'],
      valueSchema: output === null ? null : valueSchemaOf(output, 0),
    },
    requirements: noRequirements,
    metadata: metadataOf(tool.annotations),
    mcp,
  };
}

function metadataOf(annotations: unknown): ToolMetadata | null {
  if (!isMembers(annotations)) return null;
  const hints = Object.entries({
    read_only: annotations.readOnlyHint,
    destructive: annotations.destructiveHint,
    idempotent: annotations.idempotentHint,
    open_world: annotations.openWorldHint,
  }).filter(([, hint]) => typeof hint === 'boolean');
  return hints.length === 0 ? null : { behavior: Object.fromEntries(hints) };
}

function hasControlCharacter(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < 0x20 || code === 0x7f) return true;
  }
  return false;
}

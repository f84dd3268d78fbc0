import { setTimeout as wait } from 'node:timers/promises';
import { fromJsonSchema, type McpServer, type ServerContext } from '@modelcontextprotocol/server';

/** A red PNG of one pixel. */
export const pixelPng =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==';
/** A WAV file without samples. */
const silentWav = 'UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA=';

/** The suite wants to see several messages arrive while a call runs. */
const stepMs = 50;

export const text = (value: string) => ({ content: [{ type: 'text' as const, text: value }] });
const image = { type: 'image' as const, data: pixelPng, mimeType: 'image/png' };

/** Tools that answer with each kind of content, and those that speak while they run. */
export function addContentTools(server: McpServer): void {
  const tool = (name: string, description: string, run: (ctx: ServerContext) => unknown): void => {
    server.registerTool(name, { description }, async (ctx) => (await run(ctx)) as ReturnType<typeof text>);
  };
  tool('test_simple_text', 'Answers with text', () => text('This is a simple text response for testing.'));
  tool('test_image_content', 'Answers with an image', () => ({ content: [image] }));
  tool('test_audio_content', 'Answers with audio', () => ({
    content: [{ type: 'audio', data: silentWav, mimeType: 'audio/wav' }],
  }));
  tool('test_embedded_resource', 'Answers with an embedded resource', () => ({
    content: [embedded('test://embedded-resource', 'text/plain', 'This is an embedded resource content.')],
  }));
  tool('test_multiple_content_types', 'Answers with text, an image and a resource', () => ({
    content: [
      { type: 'text', text: 'Multiple content types test:' },
      image,
      embedded('test://mixed-content-resource', 'application/json', '{"test":"data","value":123}'),
    ],
  }));
  tool('test_error_handling', 'Always fails', () => {
    throw new Error('This tool intentionally returns an error for testing');
  });
  tool('test_tool_with_logging', 'Logs three times while it runs', runWithLogging);
  tool('test_logging_tool', 'Logs, where the client asked for it', async (ctx) => {
    await ctx.mcpReq.log('info', 'One message');
    return text('Logged');
  });
  tool('test_tool_with_progress', 'Reports its progress', runWithProgress);
  addSchemaTools(server);
}

export function embedded(uri: string, mimeType: string, value: string) {
  return { type: 'resource' as const, resource: { uri, mimeType, text: value } };
}

async function runWithLogging(ctx: ServerContext): Promise<unknown> {
  for (const step of ['started', 'processing data', 'completed']) {
    await ctx.mcpReq.log(
      'info',
      step === 'processing data' ? 'Tool processing data' : `Tool execution ${step}`,
    );
    await wait(stepMs);
  }
  return text('Tool with logging executed successfully');
}

async function runWithProgress(ctx: ServerContext): Promise<unknown> {
  const progressToken = ctx.mcpReq._meta?.progressToken;
  for (const progress of progressToken === undefined ? [] : [0, 50, 100]) {
    const params = { progressToken, progress, total: 100, message: `Completed step ${progress} of 100` };
    await ctx.mcpReq.notify({ method: 'notifications/progress', params });
    await wait(stepMs);
  }
  return text(`Progress token: ${String(progressToken)}`);
}

/** Schemas that a relay must not touch: JSON Schema 2020-12 keywords, and an argument mirrored in a header. */
function addSchemaTools(server: McpServer): void {
  const keywords = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    $defs: {
      address: {
        $anchor: 'addressDef',
        type: 'object',
        properties: { street: { type: 'string' }, city: { type: 'string' } },
      },
    },
    properties: {
      name: { type: 'string' },
      address: { $ref: '#/$defs/address' },
      contactMethod: { type: 'string', enum: ['phone', 'email'] },
      phone: { type: 'string' },
      email: { type: 'string' },
    },
    allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
    if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    then: { required: ['phone'] },
    else: { required: ['email'] },
    additionalProperties: false,
  };
  server.registerTool(
    'json_schema_2020_12_tool',
    { description: 'Tool with JSON Schema 2020-12 features', inputSchema: fromJsonSchema(keywords) },
    async (args) => text(JSON.stringify(args)),
  );
  const mirrored = {
    type: 'object',
    properties: { region: { type: 'string', 'x-mcp-header': 'Region' } },
    required: ['region'],
  };
  server.registerTool(
    'test_custom_headers',
    { description: 'Mirrors an argument in a header', inputSchema: fromJsonSchema(mirrored) },
    async (args) => text(JSON.stringify(args)),
  );
}

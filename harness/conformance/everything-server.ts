import { randomBytes } from 'node:crypto';
import {
  acceptedContent,
  createRequestStateCodec,
  inputRequired,
  McpServer,
  ResourceTemplate,
} from '@modelcontextprotocol/server';
import { z } from 'zod';
import { addContentTools, embedded, pixelPng, text } from './content-tools.ts';
import { addInputTools, askForm } from './input-tools.ts';
import { addTaskTools, taskExtension } from './task-tools.ts';

export interface ChangeNotices {
  /** How often each list was made to change; it has one entry more after every other change. */
  readonly changes: { readonly tools: number; readonly prompts: number };
  toolsChanged(): void;
  promptsChanged(): void;
}

const state = createRequestStateCodec<{ readonly step: number }>({ key: randomBytes(32) });

/** A server with everything that the conformance suite asks for, by the names that it asks for. One per session or request. */
export function createEverythingServer(notices: ChangeNotices, era: 'legacy' | 'modern'): McpServer {
  const server = new McpServer(
    { name: 'sallyport-conformance-fixture', version: '1.0.0' },
    {
      capabilities: {
        tools: { listChanged: true },
        resources: { subscribe: true, listChanged: true },
        prompts: { listChanged: true },
        logging: {},
        completions: {},
        ...(era === 'modern' && { extensions: taskExtension }),
      },
      requestState: { verify: state.verify },
    },
  );
  addContentTools(server);
  addInputTools(server, state);
  addTaskTools(server);
  addResources(server);
  addPrompts(server);
  const announce = (name: string, change: () => void): void => {
    server.registerTool(name, { description: 'Announces a changed list' }, async () => {
      change();
      return text('Announced');
    });
  };
  announce('test_trigger_tool_change', notices.toolsChanged);
  announce('test_trigger_prompt_change', notices.promptsChanged);
  const { changes } = notices;
  if (changes.tools % 2 === 1) announce('test_changed_tool', () => {});
  if (changes.prompts % 2 === 1) {
    const description = 'Comes and goes';
    server.registerPrompt('test_changed_prompt', { description }, () => ({ messages: [] }));
  }
  server.server.setRequestHandler('completion/complete', async ({ params }) => ({
    completion: {
      values: ['paris', 'park', 'party'].filter((value) => value.startsWith(params.argument.value)),
      hasMore: false,
    },
  }));
  return server;
}

function addResources(server: McpServer): void {
  const fixed = (name: string, mimeType: string, content: { text: string } | { blob: string }): void => {
    const uri = `test://${name}`;
    server.registerResource(name, uri, { mimeType }, async () => ({
      contents: [{ uri, mimeType, ...content }],
    }));
  };
  fixed('static-text', 'text/plain', { text: 'This is the content of the static text resource.' });
  fixed('static-binary', 'image/png', { blob: pixelPng });
  fixed('watched-resource', 'text/plain', { text: 'Watched resource content' });
  const template = new ResourceTemplate('test://template/{id}/data', { list: undefined });
  const mimeType = 'application/json';
  server.registerResource('template', template, { mimeType }, async (uri, { id }) => ({
    contents: [
      {
        uri: uri.href,
        mimeType,
        text: JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` }),
      },
    ],
  }));
  server.server.setRequestHandler('resources/subscribe', async () => ({}));
  server.server.setRequestHandler('resources/unsubscribe', async () => ({}));
}

function addPrompts(server: McpServer): void {
  const say = (value: string) => ({ role: 'user' as const, content: { type: 'text' as const, text: value } });
  server.registerPrompt('test_simple_prompt', { description: 'Without arguments' }, async () => ({
    messages: [say('This is a simple prompt for testing.')],
  }));
  const twoArgs = z.object({ arg1: z.string(), arg2: z.string() });
  const withArgs = { description: 'With arguments', argsSchema: twoArgs };
  server.registerPrompt('test_prompt_with_arguments', withArgs, async ({ arg1, arg2 }) => ({
    messages: [say(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`)],
  }));
  const withUri = { description: 'With a resource', argsSchema: z.object({ resourceUri: z.string() }) };
  server.registerPrompt('test_prompt_with_embedded_resource', withUri, async ({ resourceUri }) => ({
    messages: [
      {
        role: 'user',
        content: embedded(resourceUri, 'text/plain', 'Embedded resource content for testing.'),
      },
      say('Please process the embedded resource above.'),
    ],
  }));
  server.registerPrompt('test_prompt_with_image', { description: 'With an image' }, async () => ({
    messages: [
      { role: 'user', content: { type: 'image', data: pixelPng, mimeType: 'image/png' } },
      say('Please analyze the image above.'),
    ],
  }));
  server.registerPrompt('test_input_required_result_prompt', { description: 'Asks first' }, async (ctx) => {
    const given = acceptedContent(
      ctx.mcpReq.inputResponses,
      'user_context',
      z.object({ context: z.string() }),
    );
    if (given) return { messages: [say(`Use this context: ${given.context}`)] };
    const user_context = askForm('What context should the prompt use?', 'context');
    return inputRequired({ inputRequests: { user_context } });
  });
}

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { z } from 'zod';
import { signWorkerToken } from '../test/sign-worker-token.ts';
import { createServer } from './create-server.ts';

const secret = 'a worker secret of thirty-two bytes or more';

const item = z.object({ k: z.number().int(), note: z.string().nullable() });
const anyObject = z.object({}).loose();
const never = () => {
  throw new Error('only listed here');
};

/** The tools of the Python server whose answers are in test/fixtures, written with this package. */
function equivalentServer() {
  const app = createServer({ name: 'ArcadeEvalRef', version: '1.2.3', description: 'ref' });
  const text = z.string().describe('r');
  app.tool(
    {
      name: 'Echo',
      description: 'Echo text',
      input: z.object({
        text: z.string().describe('text'),
        mode: z.enum(['a', 'b']).optional().describe('mode'),
        tags: z.array(z.string()).optional().describe('tags'),
        n: z.number().int().optional().describe('n'),
      }),
      output: z.string().describe('The text'),
    },
    never,
  );
  app.tool(
    {
      name: 'GetItem',
      description: 'Get item',
      input: z.object({ k: z.number().int().describe('k') }),
      output: item.describe('An item'),
    },
    never,
  );
  app.tool(
    {
      name: 'ListItems',
      description: 'List items',
      input: z.object({ n: z.number().int().describe('n') }),
      output: z.array(item).describe('items'),
    },
    never,
  );
  app.tool({ name: 'Whoami', description: 'Who', output: anyObject.describe('who') }, never);
  app.tool(
    {
      name: 'Star',
      description: 'Star repo',
      input: z.object({ repo: z.string().describe('repo') }),
      output: anyObject.describe('r'),
      requires: {
        authorization: { providerId: 'github', scopes: ['repo'] },
        secrets: ['MY_SECRET'],
        metadata: ['client_id'],
      },
      metadata: {
        classification: { serviceDomains: ['source_code'] },
        behavior: {
          operations: ['create'],
          readOnly: false,
          destructive: false,
          idempotent: true,
          openWorld: true,
        },
        extras: { idp: 'entra' },
      },
    },
    never,
  );
  app.tool(
    {
      name: 'Hooli',
      description: 'Hooli',
      output: text,
      requires: { authorization: { id: 'hooli', scopes: ['s1'] } },
    },
    never,
  );
  app.tool({ name: 'Boom', description: 'Boom', output: text }, never);
  app.tool({ name: 'RetryMe', description: 'Retry', output: text }, never);
  app.tool({ name: 'Ratelimited', description: 'RL', output: text }, never);
  app.tool({ name: 'Nothing', description: 'None', output: text.nullable().describe('r') }, never);
  return app;
}

async function fixture(name: string): Promise<unknown> {
  return JSON.parse(await readFile(new URL(`../test/fixtures/${name}`, import.meta.url), 'utf8'));
}

describe('equivalent tools', () => {
  it('are listed to a gateway byte for byte as a Python worker lists them', async () => {
    const server = await equivalentServer().listen({ port: 0, workerSecret: secret, env: {} });
    const authorization = `Bearer ${signWorkerToken(secret)}`;
    const answer = await fetch(`${server.url}/worker/tools`, { headers: { authorization } });
    const listed = await answer.text();
    await server.stop();
    assert.equal(listed, JSON.stringify(await fixture('worker-tools-python.json')));
  });

  it('are listed over MCP as a Python server lists them', async () => {
    const server = await equivalentServer().listen({ port: 0, env: {} });
    const answer = await fetch(`${server.url}/mcp`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 2, method: 'tools/list', params: {} }),
    });
    const listed = messageIn(await answer.text());
    await server.stop();
    const python = (await fixture('mcp-tools-list-python.json')) as ToolList;
    assert.deepEqual(byName(listed), byName(python));
  });
});

type ToolList = { result: { tools: { name: string; outputSchema?: unknown }[] } };

function messageIn(eventStream: string): ToolList {
  const data = eventStream.split('\n').find((line) => line.startsWith('data: '));
  return JSON.parse((data ?? '').slice('data: '.length));
}

/** Output schemas are left to their own test: this package keeps more of them than Python does. */
function byName({ result }: ToolList) {
  return Object.fromEntries(result.tools.map(({ outputSchema: _own, ...tool }) => [tool.name, tool]));
}

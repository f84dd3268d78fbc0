import { once } from 'node:events';
import type { EraClient, Outcome } from './era-client.ts';
import type { Era, EraServer, Heard } from './era-server.ts';
import type { Json } from './start-app.ts';

/** A client of one era and the server that stands behind it, directly or behind the gateway. */
export interface Side {
  readonly client: EraClient;
  readonly server: EraServer;
  readonly serverEra: Era;
}

export interface Row {
  readonly name: string;
  /** What is compared, for the reader of the table. */
  readonly compared: string;
  /** Where the protocol has it; everywhere unless told. */
  readonly exists?: (client: Era, server: Era) => boolean;
  /** Everything that client and server got to see, without what the eras say differently. */
  observe(side: Side): Promise<Json>;
}

const patienceMs = 8000;
const watched = ['test://text'];
const happens = (server: EraServer, event: string) =>
  once(server.events, event, { signal: AbortSignal.timeout(patienceMs) });

/** A result without what only its era, or its relay, says of it. */
function plain(result: Json): Json {
  const { resultType, ttlMs, cacheScope, _meta, ...rest } = result ?? {};
  if (cacheScope === undefined && ttlMs !== undefined) rest.ttlMs = ttlMs;
  const { 'io.modelcontextprotocol/serverInfo': _serverInfo, ...meta } = _meta ?? {};
  return { ...rest, ...(Object.keys(meta).length > 0 && { _meta: meta }) };
}

function resultOf({ result, error }: Outcome): Json {
  if (error !== undefined) throw new Error(`refused: ${JSON.stringify(error)}`);
  return plain(result);
}

/** What was asked of the client; a form is the mode of old, and progress of a question is between two neighbours. */
const questions = ({ asked }: Outcome): Json[] =>
  asked.map(({ method, params = {} }) => {
    const { _meta, elicitationId, mode = 'form', ...rest } = params;
    return { method, ...(method === 'elicitation/create' && { mode }), ...rest };
  });

const call = async (client: EraClient, name: string, args = {}, meta = {}) =>
  client.request('tools/call', { name, arguments: args }, { meta });

async function listed(client: EraClient, method: string, key: string): Promise<Json[]> {
  const entries: Json[] = [];
  for (let cursor: string | undefined, pages = 0; pages < 20; pages++) {
    const { result, error } = await client.request(method, cursor === undefined ? {} : { cursor });
    if (error !== undefined) throw new Error(`${method}: ${JSON.stringify(error)}`);
    entries.push(...result[key]);
    cursor = result.nextCursor;
    if (cursor === undefined) return entries;
  }
  throw new Error(`${method} has no end`);
}
const lists = {
  tools: (client: EraClient) => listed(client, 'tools/list', 'tools'),
  prompts: (client: EraClient) => listed(client, 'prompts/list', 'prompts'),
  resources: (client: EraClient) => listed(client, 'resources/list', 'resources'),
  templates: (client: EraClient) => listed(client, 'resources/templates/list', 'resourceTemplates'),
};
const read = (client: EraClient, uri: string) => client.request('resources/read', { uri });

/** A row about something that the server asks while it works on a request. */
function asking(name: string, compared: string, method: string, params: Json): Row {
  return {
    name,
    compared: `${compared}: what the client is asked, what the server is answered`,
    async observe({ client }) {
      const outcome = await client.request(method, params);
      const { content, messages, contents } = resultOf(outcome);
      const said = (content ?? contents)?.[0].text ?? messages[0].content.text;
      return { asked: questions(outcome), answered: JSON.parse(said) };
    },
  };
}
const askingTool = (name: string, compared: string, tool: string) =>
  asking(name, compared, 'tools/call', { name: tool, arguments: {} });

const changes = (['tools', 'prompts', 'resources'] as const).map((list): Row => {
  const add = { tools: 'addTool', prompts: 'addPrompt', resources: 'addResource' } as const;
  return {
    name: `${list}/list_changed`,
    compared: 'the notification, and the list after it',
    async observe({ client, server }) {
      const stream = await client.listen(watched);
      server[add[list]]();
      await stream.next(`notifications/${list}/list_changed`);
      return (await lists[list](client)).at(-1);
    },
  };
});

const offered: readonly Row[] = [
  {
    name: 'tools',
    compared: 'the list with all that it says of each tool, in order; a result; an error',
    async observe({ client }) {
      const tools = await lists.tools(client);
      const failed = await call(client, 'Fail');
      return {
        tools: tools.filter(({ name }) => name !== 'Listed' && !name.startsWith('Added')),
        called: resultOf(await call(client, 'Echo', { zulu: 'ü', alfa: '1' })),
        failed: failed.error,
      };
    },
  },
  {
    name: 'structured content',
    compared:
      'content by the output schema; since 2026-07-28 any JSON value, which an older client gets in an object',
    async observe({ client, serverEra }) {
      const echoed = resultOf(await call(client, 'Echo')).structuredContent;
      if (serverEra === 'legacy') return { echoed };
      const { structuredContent } = resultOf(await call(client, 'Listed'));
      return { echoed, listed: client.era === 'legacy' ? structuredContent.result : structuredContent };
    },
  },
  {
    name: 'unknown members kept',
    compared: 'blocks, types and members that no revision knows, in a result',
    async observe({ client, server, serverEra }) {
      const own = {
        content: [{ type: 'vendor', deep: [null, { x: 1.5 }] }],
        vendor: { twice: 'ü' },
        isError: false,
      };
      server.raw = JSON.stringify(serverEra === 'modern' ? { resultType: 'complete', ...own } : own);
      return resultOf(await call(client, 'Raw'));
    },
  },
  {
    name: 'prompts',
    compared: 'the list, a prompt with arguments, the error for one that is not there',
    async observe({ client }) {
      const prompts = await lists.prompts(client);
      return {
        prompts: prompts.filter(({ name }) => !name.startsWith('Added')),
        got: resultOf(await client.request('prompts/get', { name: 'Greet', arguments: { who: 'Bo' } })),
        missing: (await client.request('prompts/get', { name: 'None' })).error?.code,
      };
    },
  },
  {
    name: 'resources',
    compared: 'the list, page after page; text and bytes; the error for one that is not there',
    async observe({ client }) {
      const resources = await lists.resources(client);
      const missing = (await read(client, 'test://item/none')).error;
      // -32002 until 2025-11-25, never since.
      const fits = missing?.code === -32602 || (missing?.code === -32002 && client.era === 'legacy');
      return {
        resources: resources.filter(({ name }) => !name.startsWith('Added')),
        text: resultOf(await read(client, 'test://text')),
        blob: resultOf(await read(client, 'test://blob')),
        missing: fits ? 'not found' : missing,
      };
    },
  },
  {
    name: 'resource templates',
    compared: 'the list, and a resource that a template makes',
    observe: async ({ client }) => ({
      templates: await lists.templates(client),
      read: resultOf(await read(client, 'test://item/5')),
    }),
  },
  {
    name: 'completion',
    compared: 'of a prompt and of a template, with the arguments so far',
    async observe({ client }) {
      const argument = { name: 'who', value: 'B' };
      const context = { arguments: { other: 'x' } };
      const refs = [
        { type: 'ref/prompt', name: 'Greet' },
        { type: 'ref/resource', uri: 'test://item/{id}' },
      ];
      const outcomes = refs.map((ref) => client.request('completion/complete', { ref, argument, context }));
      return (await Promise.all(outcomes)).map(resultOf);
    },
  },
];

const spoken: readonly Row[] = [
  {
    name: 'logging',
    compared: 'messages from the level up that the client asked for',
    async observe({ client }) {
      if (client.era === 'legacy') await client.request('logging/setLevel', { level: 'info' });
      const meta = client.era === 'legacy' ? {} : { 'io.modelcontextprotocol/logLevel': 'info' };
      const { said } = await call(client, 'Log', {}, meta);
      return said.map(({ method, params }) => ({ method, ...params }));
    },
  },
  {
    name: 'progress',
    compared: "each step, under the client's own token",
    async observe({ client }) {
      const { said } = await call(client, 'Steps', {}, { progressToken: 'own' });
      return said.map(({ method, params }) => ({ method, ...params }));
    },
  },
  {
    name: 'cancellation',
    compared: 'a call taken back in the way of its era stops at the server',
    async observe({ client, server }) {
      const calling = happens(server, 'calling');
      const cancelled = happens(server, 'cancelled');
      const { id, outcome, disconnect } = client.begin('tools/call', { name: 'Wait', arguments: {} });
      const ended = outcome.then(
        () => 'answered',
        () => 'not answered',
      );
      await calling;
      if (client.era === 'legacy') await client.notify('notifications/cancelled', { requestId: id });
      else disconnect();
      await cancelled;
      disconnect();
      return ended;
    },
  },
  ...changes,
  {
    name: 'subscriptions',
    compared: 'a resource that the client watches has changed',
    async observe({ client, server }) {
      const stream = await client.listen(watched);
      server.updateResource('test://text');
      const { params } = await stream.next('notifications/resources/updated');
      return params.uri;
    },
  },
  {
    name: 'trace context',
    compared: '`traceparent`, `tracestate`, `baggage` and `_meta` of others, as the server hears them',
    async observe({ client, server }) {
      const sent = {
        traceparent: '00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01',
        tracestate: 'a=1',
        baggage: 'b=2',
        'vendor/asked': { deep: [1] },
      };
      await call(client, 'Echo', {}, sent);
      const { message } = server.heard.findLast(({ message }) => message.method === 'tools/call') as Heard;
      return Object.fromEntries(Object.keys(sent).map((key) => [key, message.params._meta[key]]));
    },
  },
];

const asked: readonly Row[] = [
  askingTool('sampling', 'A model is asked', 'Sample'),
  askingTool('roots', 'The roots are asked for', 'Roots'),
  askingTool('elicitation, form', 'A form', 'AskForm'),
  askingTool('elicitation, URL', 'A page to visit', 'AskUrl'),
  askingTool('several questions at once', 'Form, model and roots', 'AskAll'),
  askingTool('question after question', 'Two rounds, with what the server must remember', 'AskTwice'),
  asking('questions of a prompt', 'A form', 'prompts/get', { name: 'Interview' }),
  asking('questions of a resource', 'A form', 'resources/read', { uri: 'test://locked' }),
  {
    name: 'URL elicitation by error',
    compared: 'error -32042 of 2025-11-25, which is a question since',
    exists: (_client, server) => server === 'legacy',
    async observe({ client }) {
      const params = { name: 'NeedUrl', arguments: {} };
      const { error, asked } = await client.request('tools/call', params, { maxRounds: 0 });
      const elicitations =
        error?.code === -32042 ? error.data.elicitations : asked.map(({ params }) => params);
      return elicitations.map(({ message, url, mode }: Json) => ({ message, url, mode }));
    },
  },
  {
    name: 'roots/list_changed',
    compared: "the client's own notification reaches the server",
    exists: (client, server) => client === 'legacy' && server === 'legacy',
    async observe({ client, server }) {
      await call(client, 'Echo');
      const from = server.heard.length;
      const isIt = ({ message }: Heard) => message.method === 'notifications/roots/list_changed';
      await client.notify('notifications/roots/list_changed');
      while (!server.heard.slice(from).some(isIt)) await happens(server, 'heard');
      return server.heard.slice(from).filter(isIt).length;
    },
  },
];

const extensions: readonly Row[] = [
  {
    name: 'tasks',
    compared: 'a call as a task: asked after, completed, cancelled',
    exists: (client, server) => client === server,
    observe: observeTasks,
  },
  {
    name: 'instructions',
    compared: 'what the server says to a model about itself',
    observe: async ({ client }) => ({ instructions: client.welcome.instructions }),
  },
  {
    name: 'MCP Apps',
    compared: '`_meta.ui` of a tool, and the `ui://` resource that it names',
    async observe({ client }) {
      const panel = (await lists.tools(client)).find(({ name }) => name === 'Panel');
      return { panel, read: resultOf(await read(client, panel._meta.ui.resourceUri)) };
    },
  },
  {
    name: 'unknown extensions',
    compared: 'what each side declares of an extension that the gateway does not know',
    async observe({ client, server, serverEra }) {
      await call(client, 'Echo');
      const declared = server.heard.flatMap(({ message: { method, params } }) => {
        if (serverEra === 'legacy') return method === 'initialize' ? [params.capabilities] : [];
        return method === 'tools/call' ? [params._meta['io.modelcontextprotocol/clientCapabilities']] : [];
      });
      return {
        server: client.welcome.capabilities.extensions?.['com.example/weather'],
        client: declared.findLast(({ extensions }) => extensions?.['com.example/lamp'])?.extensions[
          'com.example/lamp'
        ],
      };
    },
  },
];

async function observeTasks({ client }: Side): Promise<Json> {
  const isLegacy = client.era === 'legacy';
  const task = isLegacy ? { task: { ttl: 60_000 } } : {};
  const begin = async (hold: boolean) => {
    const { result, error } = await client.request('tools/call', {
      name: 'Job',
      arguments: { hold },
      ...task,
    });
    if (error !== undefined) throw new Error(`no task: ${JSON.stringify(error)}`);
    return isLegacy ? result : { task: { ...plain(result), resultType: result.resultType } };
  };
  const about = async (method: string, params: Json = {}) => resultOf(await client.request(method, params));
  const short = await begin(false);
  const long = await begin(true);
  const [shortId, longId] = [short, long].map(({ task }) => task.taskId);
  const seen = {
    short,
    got: await about('tasks/get', { taskId: shortId }),
    ...(isLegacy
      ? { done: await about('tasks/result', { taskId: shortId }), all: await about('tasks/list') }
      : { updated: await about('tasks/update', { taskId: longId, inputResponses: {} }) }),
    cancelled: await about('tasks/cancel', { taskId: longId }),
    after: await about('tasks/get', { taskId: longId }),
  };
  return JSON.parse(JSON.stringify(seen).replaceAll(shortId, 'short').replaceAll(longId, 'long'));
}

export const rows: readonly Row[] = [...offered, ...spoken, ...asked, ...extensions];

import { EventEmitter, once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Json } from './start-app.ts';

/** An MCP server of one era that runs its tools as tasks, by hand: no SDK serves tasks of both eras. */
export interface TaskServer {
  readonly uri: string;
  /** Every request that came, with its headers. */
  readonly requests: { readonly message: Json; readonly headers: IncomingMessage['headers'] }[];
  /** `request`, with the message, for each. */
  readonly events: EventEmitter;
  /** Ends a task and says so to those who listen. */
  finish(own: string): void;
  /** Knows nothing of a task any more. */
  forget(own: string): void;
  /** The server's own id of the task that was begun last. */
  lastTask(): string;
  close(): Promise<void>;
}

interface Task {
  readonly own: string;
  readonly tool: string;
  status: string;
  answer: Json;
  readonly done: EventEmitter;
}

const extension = 'io.modelcontextprotocol/tasks';
const related = 'io.modelcontextprotocol/related-task';
const dates = { createdAt: '2026-11-01T00:00:00Z', lastUpdatedAt: '2026-11-01T00:00:00Z' };
const question = {
  mode: 'form',
  message: 'Your name?',
  requestedSchema: { type: 'object', properties: { name: { type: 'string' } } },
};

/** `Slow` goes on until it is finished, `Ask` until it is answered; `Plain` is never a task. */
const tools = ['Slow', 'Ask', 'Plain', 'Undeclared'].map((name) => ({
  name,
  inputSchema: { type: 'object' },
  execution: { taskSupport: name === 'Plain' ? 'forbidden' : 'optional' },
}));
const app = {
  name: 'App',
  inputSchema: { type: 'object' },
  _meta: { ui: { resourceUri: 'ui://app/main', visibility: ['model', 'app'] } },
};
const page = {
  uri: 'ui://app/main',
  mimeType: 'text/html;profile=mcp-app',
  text: '<p>app</p>',
  _meta: { ui: { csp: {} } },
};

interface Reply {
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown };
}
const unknownTask = (own: unknown): Reply => ({
  error: { code: -32602, message: `Task not found: ${String(own)}` },
});
const unknownMethod: Reply = { error: { code: -32601, message: 'Method not found' } };
const content = (said: string) => [{ type: 'text', text: said }];

export async function startTaskServer(era: 'legacy' | 'modern'): Promise<TaskServer> {
  const tasks = new Map<string, Task>();
  const requests: { message: Json; headers: IncomingMessage['headers'] }[] = [];
  const events = new EventEmitter();
  const listening = new Set<{ response: ServerResponse; taskIds: readonly string[] | null; id: unknown }>();
  const answers = new EventEmitter();
  let asked = 0;
  let begun = 0;

  function begin(tool: string): Task {
    const own = `own-task-${++begun}`;
    const task = { own, tool, status: 'working', answer: null, done: new EventEmitter() };
    tasks.set(own, task);
    return task;
  }

  const face = ({ own, status }: Task) =>
    era === 'modern'
      ? { taskId: own, status, ...dates, ttlMs: 60_000, pollIntervalMs: 10 }
      : { taskId: own, status, ...dates, ttl: 60_000, pollInterval: 10 };

  function finish(own: string, answer: Json = null): void {
    const task = tasks.get(own);
    if (task === undefined) throw new Error(`there is no task ${own}`);
    task.status = 'completed';
    task.answer = answer;
    task.done.emit('done');
    const method = era === 'modern' ? 'notifications/tasks' : 'notifications/tasks/status';
    for (const { response, taskIds, id } of listening) {
      if (taskIds !== null && !taskIds.includes(own)) continue;
      const _meta = era === 'modern' ? { 'io.modelcontextprotocol/subscriptionId': id } : { 'vendor/x': 1 };
      const more = era === 'modern' ? { result: { content: content('done') } } : {};
      say(response, { method, params: { ...face(task), ...more, _meta } });
    }
  }

  const resultOf = (task: Task) => ({
    content: content(task.answer === null ? `${task.tool} is done` : `hello ${task.answer.name}`),
    _meta: { [related]: { taskId: task.own }, 'vendor/kept': 1 },
  });

  function modernReply({ method, params }: Json): Reply {
    const declared = params?._meta?.['io.modelcontextprotocol/clientCapabilities'] ?? {};
    const task = tasks.get(params?.taskId);
    const complete = (more: object): Reply => ({ result: { resultType: 'complete', ...more } });
    switch (method) {
      case 'server/discover':
        return complete({
          supportedVersions: ['2026-07-28'],
          capabilities: {
            tools: {},
            resources: {},
            extensions: { [extension]: {}, 'io.modelcontextprotocol/ui': {}, 'vendor.example/notes': {} },
          },
          ttlMs: 0,
          cacheScope: 'public',
        });
      case 'tools/list':
        return complete({ tools: [...tools, app], ttlMs: 0, cacheScope: 'public' });
      case 'resources/list':
        return complete({ resources: [], ttlMs: 0, cacheScope: 'public' });
      case 'resources/templates/list':
        return complete({ resourceTemplates: [], ttlMs: 0, cacheScope: 'public' });
      case 'resources/read':
        return complete({ contents: [page], ttlMs: 0, cacheScope: 'public' });
      case 'tools/call': {
        const declares = declared.extensions?.[extension] !== undefined;
        if (params.name === 'Undeclared' || (declares && params.name !== 'Plain')) {
          return { result: { resultType: 'task', ...face(begin(params.name)), 'x-vendor': 1 } };
        }
        if (params.name !== 'Ask') return complete({ content: content('at once') });
        const requiredCapabilities = { extensions: { [extension]: {} } };
        return { error: { code: -32021, message: 'needs tasks', data: { requiredCapabilities } } };
      }
      case 'tasks/get': {
        if (task === undefined) return unknownTask(params.taskId);
        const waits = task.tool === 'Ask' && task.status === 'working';
        if (waits) task.status = 'input_required';
        const inputRequests = { name: { method: 'elicitation/create', params: question } };
        return complete({
          ...face(task),
          ...(task.status === 'input_required' ? { inputRequests } : {}),
          ...(task.status === 'completed' ? { result: { content: resultOf(task).content } } : {}),
        });
      }
      case 'tasks/update':
        if (task === undefined) return unknownTask(params.taskId);
        finish(task.own, params.inputResponses.name.content);
        return complete({});
      case 'tasks/cancel':
        if (task === undefined) return unknownTask(params.taskId);
        task.status = 'cancelled';
        return complete({});
      case 'notes/find':
        return complete({ notes: [params.word] });
      default:
        return unknownMethod;
    }
  }

  function legacyReply({ method, params }: Json): Reply {
    const task = tasks.get(params?.taskId);
    switch (method) {
      case 'initialize':
        return {
          result: {
            protocolVersion: '2025-11-25',
            serverInfo: { name: 'tasks', version: '1' },
            capabilities: {
              tools: {},
              tasks: { list: {}, cancel: {}, requests: { tools: { call: {} } } },
              extensions: { [extension]: {} },
              experimental: { 'vendor/notes': {} },
            },
          },
        };
      case 'tools/list':
        return { result: { tools } };
      case 'tools/call':
        if (params.task === undefined) return { result: { content: content('at once') } };
        return {
          result: {
            task: { ...face(begin(params.name)), ttl: params.task.ttl },
            _meta: { 'io.modelcontextprotocol/model-immediate-response': 'wait' },
          },
        };
      case 'tasks/get':
        return task === undefined ? unknownTask(params.taskId) : { result: face(task) };
      case 'tasks/list':
        return { result: { tasks: [...tasks.values()].map(face) } };
      case 'tasks/cancel':
        if (task === undefined) return unknownTask(params.taskId);
        task.status = 'cancelled';
        return { result: face(task) };
      case 'notes/find':
        return { result: { notes: [params.word] } };
      case 'ping':
        return { result: {} };
      default:
        return unknownMethod;
    }
  }

  /** Blocks until the task is done, and asks what it must know on the way. */
  async function taskResult({ id, params }: Json, response: ServerResponse): Promise<void> {
    const task = tasks.get(params.taskId);
    if (task === undefined) return send(response, id, unknownTask(params.taskId));
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.flushHeaders();
    if (task.status === 'working' && task.tool === 'Ask') {
      const _meta = { [related]: { taskId: task.own } };
      const askId = `ask-${++asked}`;
      const answered = once(answers, askId);
      task.status = 'input_required';
      say(response, { id: askId, method: 'elicitation/create', params: { ...question, _meta } });
      const [{ result }] = (await answered) as [Json];
      events.emit('answered', result);
      finish(task.own, result.content);
    } else if (task.status === 'working') {
      const done = once(task.done, 'done');
      events.emit('waiting', task.own);
      await done;
    }
    say(response, { id, result: resultOf(task) });
    response.end();
  }

  function listen(response: ServerResponse, id: unknown, taskIds: readonly string[] | null): void {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.flushHeaders();
    const listener = { response, id, taskIds };
    listening.add(listener);
    response.on('close', () => listening.delete(listener));
    if (taskIds !== null) {
      const _meta = { 'io.modelcontextprotocol/subscriptionId': id };
      const acknowledged = 'notifications/subscriptions/acknowledged';
      say(response, { method: acknowledged, params: { notifications: { taskIds }, _meta } });
    }
    events.emit('listening', taskIds);
  }

  const http = createServer(async (request, response) => {
    if (request.method === 'DELETE') return response.writeHead(204).end();
    if (request.method === 'GET') {
      return era === 'modern' ? response.writeHead(405).end() : listen(response, null, null);
    }
    const message = JSON.parse(await text(request));
    if (message.method === undefined) {
      response.writeHead(202).end();
      return answers.emit(String(message.id), message);
    }
    requests.push({ message, headers: request.headers });
    events.emit('request', message);
    if (message.id === undefined) return response.writeHead(202).end();
    if (era === 'modern' && message.method === 'subscriptions/listen') {
      return listen(response, message.id, message.params.notifications.taskIds ?? []);
    }
    if (era === 'legacy' && message.method === 'tasks/result') return taskResult(message, response);
    if (message.method === 'initialize') response.setHeader('mcp-session-id', `session-${requests.length}`);
    const reply = era === 'modern' ? modernReply(message) : legacyReply(message);
    send(response, message.id, reply, era === 'modern' ? modernStatus(reply) : 200);
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  return {
    uri: `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`,
    requests,
    events,
    finish: (own) => finish(own),
    forget: (own) => void tasks.delete(own),
    lastTask: () => [...tasks.keys()].at(-1) as string,
    async close() {
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

function say(response: ServerResponse, message: object): void {
  response.write(`event: message\ndata: ${JSON.stringify({ jsonrpc: '2.0', ...message })}\n\n`);
}

function modernStatus({ error }: Reply): number {
  if (error?.code === -32601) return 404;
  return error?.code === -32021 ? 400 : 200;
}

function send(response: ServerResponse, id: unknown, reply: Reply, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ jsonrpc: '2.0', id, ...reply }));
}

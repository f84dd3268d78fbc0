import { randomUUID } from 'node:crypto';
import { fromJsonSchema, type McpServer } from '@modelcontextprotocol/server';
import { text } from './content-tools.ts';
import { askForm } from './input-tools.ts';

/** The extension of 2026-07-28. The SDK does not serve it, so its requests are answered before the SDK sees them. */
const extension = 'io.modelcontextprotocol/tasks';
export const taskExtension = { [extension]: {} };

const codes = { headerMismatch: -32020, capabilityMissing: -32021, invalidParams: -32602, internal: -32603 };

/** What the suite sends, and what it gets back with an HTTP status. */
interface Message {
  readonly id?: unknown;
  readonly method?: string;
  readonly params?: {
    readonly name?: string;
    readonly taskId?: string;
    readonly arguments?: Readonly<Record<string, unknown>>;
    readonly inputResponses?: Readonly<Record<string, unknown>>;
    readonly _meta?: Readonly<Record<string, unknown>>;
  };
}
type Outcome =
  | { readonly result: object }
  | { readonly error: { readonly code: number; readonly message: string; readonly data?: object } };

interface Task {
  readonly taskId: string;
  readonly createdAt: string;
  readonly doneAtMs: number;
  readonly outcome: Outcome;
  /** What is still to be answered. */
  readonly inputRequests: Map<string, object>;
  cancelled: boolean;
}

interface TaskTool {
  /** Refuses a client that does not do tasks. */
  readonly required?: boolean;
  readonly lastsMs?: (args: Readonly<Record<string, unknown>>) => number;
  readonly asks?: readonly string[];
  readonly outcome: (params: NonNullable<Message['params']>) => Outcome;
  /** What must be answered before there is a task. */
  readonly asksFirst?: string;
}

const done = (value: string): Outcome => ({ result: text(value) });
const tools: Readonly<Record<string, TaskTool>> = {
  slow_compute: {
    lastsMs: ({ seconds }) => Number(seconds ?? 0) * 1000,
    outcome: ({ arguments: args }) => done(`Computed ${String(args?.label)}`),
  },
  failing_job: {
    required: true,
    lastsMs: () => 1000,
    outcome: () => ({ result: { ...text('The job failed'), isError: true } }),
  },
  protocol_error_job: {
    outcome: () => ({ error: { code: codes.internal, message: 'The job crashed' } }),
  },
  confirm_delete: { asks: ['confirm'], outcome: () => done('Deleted') },
  multi_input: { asks: ['first', 'second'], outcome: () => done('Both inputs are there') },
  test_tool_with_task: {
    required: true,
    asksFirst: 'user_name',
    outcome: ({ inputResponses }) => done(`For ${JSON.stringify(inputResponses)}`),
  },
};

/** Lists the tools; where there are no tasks, each is done at once. */
export function addTaskTools(server: McpServer): void {
  const inputSchema = fromJsonSchema<Record<string, unknown>>({ type: 'object' });
  server.registerTool('greet', { description: 'Greets at once', inputSchema }, async ({ name }) =>
    text(`Hello, ${String(name)}!`),
  );
  for (const [name, tool] of Object.entries(tools)) {
    server.registerTool(name, { description: 'Runs as a task', inputSchema }, async (args) => {
      const outcome = tool.outcome({ name, arguments: args });
      return 'result' in outcome ? (outcome.result as ReturnType<typeof text>) : text(outcome.error.message);
    });
  }
}

/** Answers what is about tasks, for a server that is there for all clients; null for everything else. */
export function createTaskDesk(): (message: Message, headers: Headers) => Response | null {
  const tasks = new Map<string, Task>();

  function create(tool: TaskTool, params: NonNullable<Message['params']>): Outcome {
    const now = new Date().toISOString();
    const task: Task = {
      taskId: randomUUID(),
      createdAt: now,
      doneAtMs: performance.now() + (tool.lastsMs?.(params.arguments ?? {}) ?? 0),
      outcome: tool.outcome(params),
      inputRequests: new Map((tool.asks ?? []).map((key) => [key, askForm(`The ${key}?`, key)])),
      cancelled: false,
    };
    tasks.set(task.taskId, task);
    const { status, ...described } = describe(task);
    return {
      result: { resultType: 'task', ...described, status: status === 'input_required' ? status : 'working' },
    };
  }

  function run(tool: TaskTool, params: NonNullable<Message['params']>, declared: boolean): Outcome | null {
    if (!declared) return tool.required === true ? undeclared : null;
    const first = tool.asksFirst;
    if (first !== undefined && params.inputResponses?.[first] === undefined) {
      return {
        result: { resultType: 'input_required', inputRequests: { [first]: askForm('Who are you?', 'name') } },
      };
    }
    return create(tool, params);
  }

  function about(method: string, task: Task, params: NonNullable<Message['params']>): Outcome {
    if (method === 'tasks/get') return { result: { resultType: 'complete', ...detail(task) } };
    if (method === 'tasks/cancel')
      task.cancelled ||= statusOf(task) !== 'completed' && statusOf(task) !== 'failed';
    else for (const key of Object.keys(params.inputResponses ?? {})) task.inputRequests.delete(key);
    return { result: { resultType: 'complete' } };
  }

  function outcomeOf({ method = '', params = {} }: Message, headers: Headers): Outcome | null {
    const capabilities = params._meta?.['io.modelcontextprotocol/clientCapabilities'] as
      | { readonly extensions?: Readonly<Record<string, unknown>> }
      | undefined;
    const declared = capabilities?.extensions?.[extension] !== undefined;
    if (method === 'tools/call') {
      const tool = tools[params.name ?? ''];
      return tool === undefined ? null : run(tool, params, declared);
    }
    if (!['tasks/get', 'tasks/update', 'tasks/cancel'].includes(method)) return null;
    if (!declared) return undeclared;
    const { taskId = '' } = params;
    if (headers.get('mcp-name') !== taskId)
      return refusal(codes.headerMismatch, 'Mcp-Name must be the taskId');
    const task = tasks.get(taskId);
    return task === undefined
      ? refusal(codes.invalidParams, `There is no task ${taskId}`)
      : about(method, task, params);
  }

  return (message, headers) => {
    const outcome = outcomeOf(message, headers);
    if (outcome === null) return null;
    const isHttpError = 'error' in outcome && outcome.error.code !== codes.invalidParams;
    const body = { jsonrpc: '2.0', id: message.id, ...outcome };
    return Response.json(body, { status: isHttpError ? 400 : 200 });
  };
}

const refusal = (code: number, message: string, data?: object): Outcome => ({
  error: { code, message, ...(data && { data }) },
});
const undeclared = refusal(codes.capabilityMissing, 'The client does not do tasks', {
  requiredCapabilities: { extensions: taskExtension },
});

function statusOf({ cancelled, inputRequests, doneAtMs, outcome }: Task): string {
  if (cancelled) return 'cancelled';
  if (inputRequests.size > 0) return 'input_required';
  if (performance.now() < doneAtMs) return 'working';
  return 'error' in outcome ? 'failed' : 'completed';
}

function describe(task: Task) {
  const { taskId, createdAt } = task;
  const times = { createdAt, lastUpdatedAt: createdAt, ttlMs: 600_000, pollIntervalMs: 100 };
  return { taskId, status: statusOf(task), ...times };
}

function detail(task: Task): object {
  const described = describe(task);
  if (described.status === 'input_required') {
    return { ...described, inputRequests: Object.fromEntries(task.inputRequests) };
  }
  return ['completed', 'failed'].includes(described.status) ? { ...described, ...task.outcome } : described;
}

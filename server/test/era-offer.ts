import {
  inputRequired,
  inputResponse,
  ProtocolError,
  type Server,
  type ServerContext,
  UrlElicitationRequiredError,
} from '@modelcontextprotocol/server';
import type { Era } from './era-server.ts';
import { taskCapabilities } from './era-tasks.ts';
import type { Json } from './start-app.ts';

const object = {
  type: 'object' as const,
  properties: { zulu: { type: 'string' }, alfa: { type: 'string' } },
};
const marked = {
  type: 'object' as const,
  properties: { text: { type: 'string', 'x-mcp-header': 'Text' } },
};
const described = {
  title: 'An echo',
  description: 'Says it again',
  inputSchema: object,
  outputSchema: { type: 'object' as const, properties: { said: { type: 'string' } } },
  annotations: { readOnlyHint: true, title: 'Echo' },
  icons: [{ src: 'https://example.com/echo.png', sizes: ['48x48'] }],
  _meta: { 'vendor/kept': { deep: [1] } },
};
const panelUri = 'ui://panel/main';
const kept = { _meta: { 'vendor/kept': 1 } };
const unknown = { 'x-vendor': { deep: [null, 1.5] } };
const form = (field: string) => ({
  type: 'object' as const,
  properties: { [field]: { type: 'string' as const, default: 'Ann' } },
  required: [field],
});

/** What the server asks the client for while it runs these tools: round after round, until every answer is there. */
const asking: Readonly<Record<string, readonly NonNullable<Ask>[]>> = {
  AskForm: [{ name: inputRequired.elicit({ message: 'Your name?', requestedSchema: form('name') }) }],
  AskUrl: [{ login: inputRequired.elicitUrl({ message: 'Log in', url: 'https://example.com/login?x=1' }) }],
  Sample: [{ sample: inputRequired.createMessage(sampleOf('What is the capital of France?')) }],
  Roots: [{ roots: inputRequired.listRoots() }],
  AskAll: [
    {
      name: inputRequired.elicit({ message: 'Your name?', requestedSchema: form('name') }),
      sample: inputRequired.createMessage(sampleOf('A greeting?')),
      roots: inputRequired.listRoots(),
    },
  ],
  AskTwice: [
    { first: inputRequired.elicit({ message: 'First?', requestedSchema: form('first') }) },
    { second: inputRequired.elicit({ message: 'Second?', requestedSchema: form('second') }) },
  ],
  Interview: [{ topic: inputRequired.elicit({ message: 'Which topic?', requestedSchema: form('topic') }) }],
  'test://locked': [{ pin: inputRequired.elicit({ message: 'The PIN?', requestedSchema: form('pin') }) }],
};
type Ask = Parameters<typeof inputRequired>[0]['inputRequests'];

function sampleOf(question: string) {
  const messages = [{ role: 'user' as const, content: { type: 'text' as const, text: question } }];
  return { messages, maxTokens: 50, systemPrompt: 'Be brief', temperature: 0.5, stopSequences: ['.'] };
}

/** What a server of one era lists. Tests may add to it. */
export function createEraOffer(era: Era) {
  const plain = ['Steps', 'Wait', 'Fail', 'Raw', 'Log', 'Job', 'AskForm', 'AskUrl', 'Sample', 'Roots'];
  const tools: Json[] = [
    { name: 'Echo', ...described },
    ...[...plain, 'AskAll', 'AskTwice'].map((name) => ({ name, inputSchema: object })),
    { name: 'Panel', inputSchema: object, _meta: { ui: { resourceUri: panelUri } }, ...unknown },
    ...(era === 'modern'
      ? [
          {
            name: 'Listed',
            inputSchema: object,
            outputSchema: { type: 'array', items: { type: 'integer' } },
          },
          { name: 'Marked', inputSchema: marked },
        ]
      : [{ name: 'NeedUrl', inputSchema: object }]),
  ];
  const prompts: Json[] = [
    {
      name: 'Greet',
      title: 'Greets',
      description: 'Greets somebody',
      arguments: [{ name: 'who', description: 'Whom', required: true, ...unknown }],
      ...kept,
      ...unknown,
    },
    { name: 'Interview' },
  ];
  const resources: Json[] = [
    {
      uri: 'test://text',
      name: 'Text',
      title: 'A text',
      mimeType: 'text/plain',
      size: 5,
      annotations: { audience: ['user'], priority: 0.5, lastModified: '2026-01-01T00:00:00Z' },
      ...kept,
      ...unknown,
    },
    { uri: 'test://blob', name: 'Blob', mimeType: 'image/png' },
    { uri: 'test://locked', name: 'Locked' },
    { uri: panelUri, name: 'Panel', mimeType: 'text/html;profile=mcp-app' },
  ];
  const templates: Json[] = [
    { uriTemplate: 'test://item/{id}', name: 'Item', description: 'One item', ...kept, ...unknown },
  ];
  return { tools, prompts, resources, templates };
}
export type EraOffer = ReturnType<typeof createEraOffer>;

export function eraCapabilities(era: Era, hasSessions: boolean) {
  const own = taskCapabilities[era];
  const extensions = 'extensions' in own ? own.extensions : {};
  return {
    tools: { listChanged: true },
    prompts: { listChanged: true },
    resources: { listChanged: true, subscribe: hasSessions },
    completions: {},
    logging: {},
    ...own,
    extensions: { ...extensions, 'com.example/weather': { units: ['C', 'F'] } },
  };
}

interface Told {
  calling(name: string, meta: unknown): void;
  cancelled(): void;
  /** Legacy only: a session wants to hear, or no longer hear, of a resource. */
  subscribed(uri: string, wanted: boolean): void;
}

/** Serves the offer on one server of the SDK. */
export function serveOffer(server: Server, era: Era, offer: EraOffer, told: Told): void {
  server.setRequestHandler('tools/list', async () => ({ tools: offer.tools }) as never);
  server.setRequestHandler('prompts/list', async () => ({ prompts: offer.prompts }) as never);
  server.setRequestHandler('resources/list', async ({ params }) => pageOf(offer.resources, params?.cursor));
  server.setRequestHandler(
    'resources/templates/list',
    async () => ({ resourceTemplates: offer.templates }) as never,
  );
  server.setRequestHandler('tools/call', async ({ params: { name, _meta, arguments: args } }, ctx) => {
    told.calling(name, _meta);
    const answers = rounds(name, ctx);
    if (answers !== null) {
      if ('ask' in answers) return answers.ask as never;
      return { content: [{ type: 'text', text: JSON.stringify(answers.given) }], ...kept };
    }
    return runTool(name, args ?? {}, ctx, told);
  });
  server.setRequestHandler('prompts/get', async ({ params: { name, arguments: args } }, ctx) => {
    if (!offer.prompts.some((prompt) => prompt.name === name)) {
      throw new ProtocolError(-32602, `There is no prompt ${name}`);
    }
    const answers = rounds(name, ctx);
    if (answers !== null && 'ask' in answers) return answers.ask as never;
    const said = answers === null ? `Hello, ${args?.who}` : JSON.stringify(answers.given);
    const content = { type: 'text' as const, text: said, annotations: { priority: 1 } };
    return { description: 'A greeting', messages: [{ role: 'user', content }], ...kept };
  });
  server.setRequestHandler('resources/read', async ({ params: { uri } }, ctx) => {
    const answers = rounds(uri, ctx);
    if (answers !== null && 'ask' in answers) return answers.ask as never;
    return { contents: [contentOf(era, offer, uri, answers?.given)], ...kept };
  });
  server.setRequestHandler('completion/complete', async ({ params: { ref, argument, context } }) => {
    const subject = ref.type === 'ref/prompt' ? ref.name : ref.uri;
    const values = [subject, argument.name, `${argument.value}!`, JSON.stringify(context ?? null)];
    return { completion: { values, total: 9, hasMore: true } };
  });
  if (era === 'modern') return;
  for (const wanted of [true, false]) {
    const method = wanted ? 'resources/subscribe' : 'resources/unsubscribe';
    server.setRequestHandler(method, async ({ params }) => {
      told.subscribed(params.uri, wanted);
      return {};
    });
  }
}

/** Two on a page, so that whoever lists must turn pages. */
function pageOf(resources: readonly Json[], cursor: string | undefined): never {
  const from = Number(cursor ?? 0);
  const next = from + 2 < resources.length ? { nextCursor: String(from + 2) } : {};
  return { resources: resources.slice(from, from + 2), ...next } as never;
}

function contentOf(era: Era, offer: EraOffer, uri: string, given: unknown): Json {
  if (uri === 'test://text') return { uri, mimeType: 'text/plain', text: 'hello', ...kept };
  if (uri === 'test://blob') return { uri, mimeType: 'image/png', blob: 'AAEC' };
  if (uri === 'test://locked') return { uri, text: JSON.stringify(given) };
  if (uri === panelUri) {
    const ui = { csp: { connectDomains: ['https://example.com'] }, prefersBorder: true };
    return { uri, mimeType: 'text/html;profile=mcp-app', text: '<p>Panel</p>', _meta: { ui } };
  }
  const made = uri.startsWith('test://item/') && !uri.endsWith('/none');
  const known = made || offer.resources.some((resource) => resource.uri === uri);
  if (!known) {
    const code = era === 'legacy' ? -32002 : -32602;
    throw new ProtocolError(code, 'There is no such resource', { uri });
  }
  return { uri, mimeType: 'application/json', text: JSON.stringify({ uri }) };
}

/** The next thing to ask for, or all that was answered; null for what asks for nothing. */
function rounds(name: string, ctx: ServerContext): { ask: unknown } | { given: Json } | null {
  const asked = asking[name];
  if (asked === undefined) return null;
  const state: { round: number; given: Json } = JSON.parse(ctx.mcpReq.requestState<string>() ?? 'null') ?? {
    round: 0,
    given: {},
  };
  const answers = Object.keys(asked[state.round] ?? {}).map((key) => {
    return [key, inputResponse(ctx.mcpReq.inputResponses, key)] as const;
  });
  const open = answers.some(([, answer]) => answer.kind === 'missing');
  const round = open ? state.round : state.round + 1;
  const given = open ? state.given : { ...state.given, ...Object.fromEntries(answers) };
  const inputRequests = asked[round];
  if (inputRequests === undefined) return { given };
  return { ask: inputRequired({ inputRequests, requestState: JSON.stringify({ round, given }) }) };
}

async function runTool(name: string, args: object, ctx: ServerContext, told: Told) {
  const { _meta, signal, notify, log } = ctx.mcpReq;
  if (name === 'Fail') throw new ProtocolError(4242, 'the disk is full', { free: 0 });
  if (name === 'Listed') return { content: [], structuredContent: [1, 2] } as never;
  if (name === 'NeedUrl') {
    const url = 'https://example.com/login?x=1';
    throw new UrlElicitationRequiredError([
      { mode: 'url', message: 'Log in', url, elicitationId: 'login-1' },
    ]);
  }
  if (name === 'Steps') {
    for (const progress of [1, 2]) {
      const progressToken = _meta?.progressToken as number;
      await notify({
        method: 'notifications/progress',
        params: { progressToken, progress, total: 2, message: `step ${progress}` },
      });
    }
  }
  if (name === 'Log') {
    for (const level of ['debug', 'info', 'error'] as const) await log(level, { said: level, args }, 'disk');
  }
  if (name === 'Wait') {
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
    told.cancelled();
  }
  return { content: [{ type: 'text' as const, text: name }], structuredContent: { said: name }, ...kept };
}

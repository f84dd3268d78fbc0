import { randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { toNodeHandler } from '@modelcontextprotocol/node';
import {
  createMcpHandler,
  InMemoryServerEventBus,
  Server,
  WebStandardStreamableHTTPServerTransport,
} from '@modelcontextprotocol/server';
import { createEraOffer, type EraOffer, eraCapabilities, serveOffer } from './era-offer.ts';
import { createTaskDesk } from './era-tasks.ts';
import type { Json } from './start-app.ts';

export type Era = 'legacy' | 'modern';

/** One message as it reached the server. */
export interface Heard {
  readonly message: Json;
  readonly headers: IncomingHttpHeaders;
}

export interface EraServer {
  readonly uri: string;
  /**
   * `heard` with each message (`Heard`), `calling` with the `_meta` of a call, `cancelled` when the tool Wait was told to stop,
   * `subscribed` with a URI once its changes are told of, `unsubscribed` (legacy), `stream` when a GET stream opens (legacy).
   */
  readonly events: EventEmitter;
  /** Every message so far, the oldest first. */
  readonly heard: readonly Heard[];
  /** Names of the tools that ran, in order. */
  readonly ran: readonly string[];
  /** What the tool Raw answers, as JSON text: the SDK would not pass it on untouched. */
  raw: string;
  /** What it lists; who changes it says so by the functions below, or before anybody asks. */
  readonly offer: EraOffer;
  addTool(): void;
  addPrompt(): void;
  addResource(): void;
  /** Tells whoever wants to hear of it that a resource has changed. */
  updateResource(uri: string): void;
  /** Ends it as a crash does: every connection is cut. */
  close(): Promise<void>;
}

interface Session {
  readonly server: Server;
  readonly transport: WebStandardStreamableHTTPServerTransport;
  readonly subscribed: Set<string>;
}

/**
 * A server of one era, on the official SDK, which offers everything that there is; see `era-offer.ts`. One of the legacy era may do
 * without sessions.
 */
export async function startEraServer(era: Era, port = 0, hasSessions = true): Promise<EraServer> {
  const events = new EventEmitter();
  const offer = createEraOffer(era);
  const answerTask = createTaskDesk(era);
  const heard: Heard[] = [];
  const ran: string[] = [];
  const state = { raw: '{}' };
  const sessions = new Map<string, Session>();

  function makeServer(subscribed = new Set<string>()): Server {
    const server = new Server(
      { name: 'upstream', version: '9' },
      { capabilities: eraCapabilities(era, hasSessions), instructions: 'Ask nicely' },
    );
    serveOffer(server, era, offer, {
      calling(name, meta) {
        ran.push(name);
        events.emit('calling', meta);
      },
      cancelled: () => void events.emit('cancelled'),
      subscribed(uri, wanted) {
        if (wanted) subscribed.add(uri);
        else subscribed.delete(uri);
        events.emit(wanted ? 'subscribed' : 'unsubscribed', uri);
      },
    });
    return server;
  }

  const wanted: string[] = [];
  const bus = new InMemoryServerEventBus();
  const modern = createMcpHandler(() => makeServer(), {
    legacy: 'reject',
    bus: {
      publish: (event) => bus.publish(event),
      subscribe(listener) {
        const end = bus.subscribe(listener);
        for (const uri of wanted.splice(0)) events.emit('subscribed', uri);
        return end;
      },
    },
  });
  async function serveSession(request: Request): Promise<Response> {
    const asked = request.headers.get('mcp-session-id');
    const known = asked === null ? undefined : sessions.get(asked);
    if (request.method === 'GET' && known !== undefined) queueMicrotask(() => events.emit('stream', asked));
    if (known !== undefined) return known.transport.handleRequest(request);
    if (asked !== null) return new Response('no such session', { status: 404 });
    const subscribed = new Set<string>();
    const server = makeServer(subscribed);
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => void sessions.set(id, { server, transport, subscribed }),
      onsessionclosed: (id) => void sessions.delete(id),
    });
    await server.connect(transport);
    return transport.handleRequest(request);
  }
  async function serveAlone(request: Request): Promise<Response> {
    if (request.method !== 'POST') return new Response(null, { status: 405 });
    const transport = new WebStandardStreamableHTTPServerTransport({ sessionIdGenerator: undefined });
    await makeServer().connect(transport);
    return transport.handleRequest(request);
  }
  const serveLegacy = hasSessions ? serveSession : serveAlone;
  const serve = toNodeHandler({
    fetch: era === 'modern' ? (request) => modern.fetch(request) : serveLegacy,
  });

  const http = createServer(async (request, response) => {
    // The SDK's adapter says nothing until the first event; a server that others wrote says at once that the stream is open.
    if (request.method === 'GET') {
      const { writeHead } = response;
      response.writeHead = ((...args: unknown[]) => {
        Reflect.apply(writeHead, response, args);
        response.flushHeaders();
        return response;
      }) as typeof writeHead;
    }
    const body = await text(request);
    const message = body === '' ? {} : JSON.parse(body);
    if (body !== '') {
      heard.push({ message, headers: request.headers });
      events.emit('heard', heard.at(-1));
    }
    if (message.method === 'subscriptions/listen') {
      wanted.push(...(message.params.notifications.resourceSubscriptions ?? []));
    }
    const isRaw = message.method === 'tools/call' && message.params.name === 'Raw';
    const outcome = isRaw ? `"result":${state.raw}` : outcomeText(answerTask(message));
    if (outcome !== null) {
      response.setHeader('content-type', 'application/json');
      response.end(`{"jsonrpc":"2.0","id":${JSON.stringify(message.id)},${outcome}}`);
    } else void serve(request as IncomingMessage as Parameters<typeof serve>[0], response, message);
  });
  await new Promise<void>((resolve, reject) => {
    http.once('error', reject);
    http.listen(port, '127.0.0.1', resolve);
  });
  return Object.assign(state, {
    uri: `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`,
    events,
    heard,
    ran,
    offer,
    ...announcing(offer, modern, sessions),
    async close() {
      const closed = once(http, 'close');
      http.close();
      http.closeAllConnections();
      await closed;
      await modern.close();
      for (const { server } of sessions.values()) await server.close();
    },
  });
}

const outcomeText = (outcome: object | null) =>
  outcome === null ? null : JSON.stringify(outcome).slice(1, -1);

/** Adds to the offer and says so, in the words of the era. */
function announcing(
  offer: EraOffer,
  modern: ReturnType<typeof createMcpHandler>,
  sessions: ReadonlyMap<string, Session>,
) {
  const each = (tell: (server: Server) => Promise<void>): void => {
    for (const { server } of sessions.values()) void tell(server);
  };
  return {
    addTool() {
      offer.tools.push({ name: `Added${offer.tools.length}`, inputSchema: { type: 'object' } });
      modern.notify.toolsChanged();
      each((server) => server.sendToolListChanged());
    },
    addPrompt() {
      offer.prompts.push({ name: `Added${offer.prompts.length}` });
      modern.notify.promptsChanged();
      each((server) => server.sendPromptListChanged());
    },
    addResource() {
      const name = `Added${offer.resources.length}`;
      offer.resources.push({ uri: `test://${name.toLowerCase()}`, name });
      modern.notify.resourcesChanged();
      each((server) => server.sendResourceListChanged());
    },
    updateResource(uri: string) {
      modern.notify.resourceUpdated(uri);
      for (const { server, subscribed } of sessions.values()) {
        if (subscribed.has(uri)) void server.sendResourceUpdated({ uri });
      }
    },
  };
}

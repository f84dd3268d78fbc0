import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import type { Json } from './start-app.ts';

/**
 * A worker whose tools count how often they ran: `Kit.Write` has an effect each time, `Kit.Put` the same one however often, `Kit.Read`
 * none. An older version of `Kit.Write` had none either. `held: true` among the inputs holds a call until it is let go; `text` comes back.
 */
export interface HeldWorker {
  readonly uri: string;
  /** Texts of the calls that came, by tool, in order. */
  readonly ran: Readonly<Record<'Write' | 'Put' | 'Read', string[]>>;
  /** Done when a call with this text has come. */
  arrived(text: string): Promise<void>;
  /** Answers the calls with this text that are held. */
  release(text: string): void;
  /** How many were cut off by whoever had made them. */
  cut(): number;
  stop(): Promise<void>;
}

const behaviors = {
  Write: { read_only: false, destructive: true, idempotent: false },
  Put: { read_only: false, destructive: false, idempotent: true },
  Read: { read_only: true, destructive: false, idempotent: true },
} as const;
const text = { val_type: 'string' };

function definition(name: keyof typeof behaviors, version = '1.2.3', behavior: object = behaviors[name]) {
  return {
    name,
    fully_qualified_name: `Kit.${name}`,
    description: `${name} a text`,
    toolkit: { name: 'Kit', version },
    input: {
      parameters: [
        { name: 'text', required: true, value_schema: text },
        { name: 'held', required: false, value_schema: { val_type: 'boolean' } },
      ],
    },
    output: { value_schema: text },
    metadata: { behavior: { ...behavior, open_world: true, operations: [] } },
  };
}

export async function startHeldWorker(port = 0): Promise<HeldWorker> {
  const ran = { Write: [] as string[], Put: [] as string[], Read: [] as string[] };
  const held = new Map<string, { let: () => void; until: Promise<void> }>();
  const waits = new Map<string, ReturnType<typeof Promise.withResolvers<void>>>();
  let cuts = 0;
  const at = (name: string) => {
    const known = waits.get(name) ?? Promise.withResolvers<void>();
    waits.set(name, known);
    return known;
  };
  const holdOf = (name: string) => {
    let hold = held.get(name);
    if (hold === undefined) {
      const { promise, resolve } = Promise.withResolvers<void>();
      hold = { let: resolve, until: promise };
      held.set(name, hold);
    }
    return hold;
  };
  const server = createServer(async (request, response) => {
    response.setHeader('content-type', 'application/json');
    const say = (body: unknown) => response.end(JSON.stringify(body));
    if (request.method === 'GET') {
      const latest = Object.keys(behaviors).map((name) => definition(name as never));
      say([...latest, definition('Write', '1.0.0', behaviors.Read)]);
      return;
    }
    const body = (await json(request)) as Json;
    ran[body.tool.name as keyof typeof ran].push(body.inputs.text);
    response.once('close', () => {
      if (!response.writableEnded) cuts++;
    });
    at(body.inputs.text).resolve();
    if (body.inputs.held === true) await holdOf(body.inputs.text).until;
    const output = { value: body.inputs.text, logs: null, error: null, requires_authorization: null };
    say({ execution_id: '', finished_at: '', duration: 1, success: true, output });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    uri: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ran,
    arrived: (name) => at(name).promise,
    release: (name) => holdOf(name).let(),
    cut: () => cuts,
    stop() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

import { refusal } from '#domain';
import { err, ok, type Result } from '#foundation';
import type { Exchange } from '../exchange.ts';
import { errorText, type McpDeps, type Refused, recordRefused, refused } from '../front.ts';
import { type ClientMessage, type RpcId, resultMessage } from '../rpc.ts';
import { type Context, contextOf } from './context.ts';
import { initialize } from './initialize.ts';
import { resultFor } from './requests.ts';

/** The generation with a handshake: `initialize`, sessions, a GET stream. Revisions 2024-11-05 to 2025-11-25. */

type Request = Extract<ClientMessage, { kind: 'request' }>;

/** Answers one POST. Errors of a single request are told in band, with status 200, as this generation does. */
export async function serveLegacy(
  exchange: Exchange,
  body: ClientMessage | ClientMessage[],
  deps: McpDeps,
): Promise<Result<void, Refused>> {
  if (!Array.isArray(body) && body.kind === 'request' && body.method === 'initialize') {
    return initialize(exchange, body, deps);
  }
  const noBatch = refused(refusal('request.invalid', 'batches exist only in the revision 2025-03-26'));
  const named = exchange.request.headers['mcp-protocol-version'];
  if (Array.isArray(body) && named !== undefined && named !== '2025-03-26') return err(noBatch);
  const finding = contextOf(exchange, deps);
  const context = finding instanceof Promise ? await finding : finding;
  if (!context.ok) return context;
  if (!Array.isArray(body)) {
    if (body.kind !== 'request') acknowledge(context.value, [body]);
    else {
      const answer = await answerTo(context.value, body);
      if (!answer.ok && isToldByStatus(answer.error)) return answer;
      end(exchange, textOf(body, answer));
    }
    return ok(undefined);
  }
  if (context.value.version !== '2025-03-26') return err(noBatch);
  await answerBatch(context.value, body);
  return ok(undefined);
}

function end(exchange: Exchange, answer: string | Buffer | null): void {
  if (answer === null) exchange.endSilently();
  else exchange.answer(200, answer);
}

async function answerBatch(context: Context, batch: ClientMessage[]): Promise<void> {
  const requests = batch.filter((message) => message.kind === 'request');
  const answering = requests.map((request) => answerTo(context, request));
  const others = batch.filter((message) => message.kind !== 'request');
  if (requests.length === 0) return acknowledge(context, others);
  // They may be about requests of the same batch, and are not to wait for them.
  for (const message of others) take(context, message);
  const answered = await Promise.all(answering);
  const answers = requests.flatMap((request, at) => textOf(request, answered[at] as Answered) ?? []);
  end(context.exchange, answers.length === 0 ? null : `[${answers.map(String).join(',')}]`);
}

/** What a client must see before it looks at the answer: with which scopes to come back. */
function isToldByStatus({ refusal: { code } }: Refused): boolean {
  return code === 'identity.scope_insufficient';
}

function textOf({ id }: Request, answer: Answered): string | Buffer | null {
  return answer.ok ? answer.value : errorText(id, answer.error);
}

/** `null`: the client took the request back, and its HTTP response can do without an answer. */
type Answered = Result<string | Buffer | null, Refused>;

async function answerTo(context: Context, message: Request): Promise<Answered> {
  const { exchange, session, deps } = context;
  const { id } = message;
  const cancel = new AbortController();
  session?.pending.set(id, cancel);
  try {
    const result = await resultFor(context, message, cancel.signal);
    if (!result.ok) await recordRefused(exchange, result.error, deps);
    if (cancel.signal.aborted && exchange.acceptsStream) return ok(null);
    return result.ok ? ok(resultMessage(id, result.value)) : err({ ...result.error, recorded: true });
  } finally {
    if (session?.pending.get(id) === cancel) session.pending.delete(id);
    if (session !== null) deps.sessions.touch(session);
  }
}

function acknowledge(context: Context, messages: readonly ClientMessage[]): void {
  for (const message of messages) take(context, message);
  context.exchange.empty(202);
}

/** Takes what the client wants no answer to. What is about nothing that we know is not about anything. */
function take({ exchange, session, deps }: Context, message: ClientMessage): void {
  if (session === null) return;
  if (message.kind === 'response') deps.sessions.answer(session, message.id, message.answer);
  else if (message.method === 'notifications/cancelled') {
    deps.sessions.cancel(session, message.params.requestId as RpcId);
  } else if (message.method === 'notifications/roots/list_changed') {
    const { gateway, sourceIds } = exchange.view;
    // It has nothing else to say, and no rule would see it.
    deps.sources.tell(gateway.projectId, sourceIds, session.id, { method: message.method });
  }
}

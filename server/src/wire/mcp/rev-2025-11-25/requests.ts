import { type LogLevel, logLevels, refusal } from '#domain';
import { err, type MaybePromise, ok, type Result } from '#foundation';
import { complete } from '../completion.ts';
import { extensionRequest } from '../extensions.ts';
import { type Refused, refused } from '../front.ts';
import { type Answer, callTool, listTools, type Relay } from '../methods.ts';
import { getPrompt, listPrompts } from '../prompts.ts';
import { legacyRead, legacyResult } from '../relayed-result.ts';
import { listResources, listTemplates, readResource } from '../resources.ts';
import { type ClientMessage, paramsInvalid } from '../rpc.ts';
import { listTasks, taskRequest } from '../tasks/tasks.ts';
import { type Context, clientSide, needsSession } from './context.ts';
import { mannersOf } from './manners.ts';
import { olderContent } from './older-content.ts';
import { subscribe, unsubscribe } from './subscriptions.ts';
import type { LegacyVersion } from './versions.ts';

type Request = Extract<ClientMessage, { kind: 'request' }>;
type Outcome = Result<string | Buffer, Refused>;

/** The result of one request, in the form of this generation. */
export function resultFor(context: Context, message: Request, signal: AbortSignal): MaybePromise<Outcome> {
  const { exchange, deps } = context;
  const { method, params } = message;
  switch (method) {
    case 'ping':
      return ok('{}');
    case 'tools/list':
      return inBraces(listTools(exchange, params, deps, 'object'));
    case 'prompts/list':
      return inBraces(listPrompts(exchange, params, deps));
    case 'resources/list':
      return inBraces(listResources(exchange, params, deps));
    case 'resources/templates/list':
      return inBraces(listTemplates(exchange, params, deps));
    case 'logging/setLevel':
      return setLevel(context, message);
    case 'resources/subscribe':
      return subscribe(context, params);
    case 'resources/unsubscribe':
      return unsubscribe(context, params);
    default:
      return relayed(context, message, signal);
  }
}

const relays: Readonly<Record<string, Relay>> = {
  'tools/call': callTool,
  'prompts/get': getPrompt,
  'resources/read': readResource,
  'completion/complete': complete,
  'tasks/list': listTasks,
  'tasks/get': taskRequest('tasks/get'),
  'tasks/result': taskRequest('tasks/result'),
  'tasks/cancel': taskRequest('tasks/cancel'),
};

/** Requests that a source answers. */
async function relayed(
  context: Context,
  { id, method, params }: Request,
  signal: AbortSignal,
): Promise<Outcome> {
  const { exchange, deps, version } = context;
  const known = Object.hasOwn(relays, method) ? relays[method] : undefined;
  const relay = known ?? extensionRequest(method);
  const client = clientSide(context);
  // Before, there were other kinds of content.
  const large = version >= '2025-06-18' ? exchange.large(id, false) : null;
  const answer = await relay({ exchange, params, signal, client, large, deps, manners: mannersOf(version) });
  return answer.ok ? inOlderForm(method, answer.value, version) : answer;
}

function inOlderForm(method: string, answer: Answer, version: LegacyVersion): Outcome {
  if (typeof answer === 'string' || Buffer.isBuffer(answer)) {
    if (method === 'resources/read') return ok(legacyRead(answer));
    return ok(olderContent(method, legacyResult(answer), version));
  }
  const told = 'the source asked for input in a way that this revision does not have';
  return err({ refusal: refusal('source.answer_invalid', told), recorded: true });
}

async function inBraces(listing: Promise<Result<string, Refused>>): Promise<Outcome> {
  const members = await listing;
  return members.ok ? ok(`{${members.value}}`) : members;
}

async function setLevel({ session, deps }: Context, { params: { level } }: Request): Promise<Outcome> {
  if (!logLevels.includes(level as LogLevel)) {
    return err(refused(paramsInvalid('params.level', `must be one of ${logLevels.join(', ')}`)));
  }
  if (session === null) return err(needsSession('a log level'));
  if (session.logLevel !== level) await deps.sessions.setLogLevel(session, level as LogLevel);
  return ok('{}');
}

import { type InputAnswer, type InputRequest, type RpcError, taskExtension } from '#domain';
import { type Clock, isMembers, type Members, randomHex } from '#foundation';
import type { HttpResponse } from '../http/message.ts';
import type { Exchange } from './exchange.ts';
import { newQuestionId } from './sessions/question-id.ts';
import type { OpenQuestion, Session } from './sessions/session.ts';

/** How long a client, and the person before it, may think. */
const answerWithinMs = 10 * 60_000;
const maxOpenQuestions = 100;

/** Error codes of the official SDKs, for what happens between a question and its answer. */
const connectionClosed = -32000;
const timedOut = -32001;
const methodNotFound = -32601;
const invalidParams = -32602;

/** Asks clients with a handshake in the middle of a request, on the stream where it is answered. */
export function createAsking(clock: Clock) {
  // In the order in which they run out of time.
  const open = new Map<OpenQuestion, number>();
  const onStream = new WeakMap<HttpResponse, Set<OpenQuestion>>();
  let isClosed = false;
  const stop = clock.every(5_000, () => {
    for (const [question, dueMs] of open) {
      if (dueMs > clock.now()) break;
      question.drop('the client did not answer in time');
    }
  });

  function questionsOn(response: HttpResponse): Set<OpenQuestion> {
    let questions = onStream.get(response);
    if (questions === undefined) {
      const made = new Set<OpenQuestion>();
      questions = made;
      onStream.set(response, made);
      response.once('close', () => {
        for (const question of [...made]) question.drop('the client closed the stream');
      });
    }
    return questions;
  }

  return {
    /** Never throws; whatever keeps the client from answering is an error as an answer. */
    ask(
      session: Session | null,
      exchange: Exchange,
      request: InputRequest,
      signal: AbortSignal,
    ): Promise<InputAnswer> {
      const isOver = isClosed || signal.aborted;
      const problem = whyNot(session, exchange, request) ?? (isOver ? gone : null);
      if (session === null || problem !== null) return Promise.resolve({ error: problem ?? gone });
      return new Promise((resolve) => {
        const id = newQuestionId(session);
        const siblings = questionsOn(exchange.response);
        const question: OpenQuestion = {
          settle(answer) {
            if (!session.questions.delete(id)) return;
            open.delete(question);
            siblings.delete(question);
            signal.removeEventListener('abort', onAbort);
            resolve(answer);
          },
          drop(why) {
            if (!session.questions.has(id)) return;
            exchange.say({ method: 'notifications/cancelled', params: { requestId: id, reason: why } });
            const isLate = (open.get(question) ?? 0) <= clock.now();
            question.settle({ error: { code: isLate ? timedOut : connectionClosed, message: why } });
          },
        };
        const onAbort = () => question.drop('the request is over');
        session.questions.set(id, question);
        open.set(question, clock.now() + answerWithinMs);
        siblings.add(question);
        signal.addEventListener('abort', onAbort, { once: true });
        const { method, params } = worded(request, session.version);
        if (!exchange.say({ id, method, ...(params === undefined ? {} : { params }) }))
          question.settle({ error: gone });
      });
    },
    /** Nobody is asked any more, and nobody waits for an answer. */
    close(): void {
      isClosed = true;
      stop();
      for (const question of [...open.keys()]) question.drop('the server stops');
    },
  };
}

const gone: RpcError = { code: connectionClosed, message: 'the client is not there to be asked' };

/** Why the client is not to be asked this; `null`: it is. */
function whyNot(session: Session | null, exchange: Exchange, request: InputRequest): RpcError | null {
  if (session === null)
    return { code: methodNotFound, message: 'a client without a session cannot be asked' };
  if (session.isOver) return gone;
  const missing = missingCapability(session.capabilities, request);
  if (missing !== null) return missing;
  if (!exchange.acceptsStream)
    return { code: connectionClosed, message: 'the client takes no stream on which to ask it' };
  if (session.questions.size >= maxOpenQuestions)
    return { code: connectionClosed, message: 'the client has too many questions to answer' };
  return null;
}

function missingCapability(
  { elicitation, sampling, roots }: Members,
  request: InputRequest,
): RpcError | null {
  const { method, params = {} } = request;
  const declared = {
    'elicitation/create': elicitation,
    'sampling/createMessage': sampling,
    'roots/list': roots,
  }[method];
  if (!isMembers(declared))
    return { code: methodNotFound, message: `the client does not declare what ${method} needs` };
  if (method === 'elicitation/create') {
    const mode = params.mode === 'url' ? 'url' : 'form';
    return elicits(declared, mode)
      ? null
      : { code: invalidParams, message: `the client does not declare elicitation by ${mode}` };
  }
  const wantsTools = method === 'sampling/createMessage' && (params.tools ?? params.toolChoice) !== undefined;
  if (!wantsTools || declared.tools !== undefined) return null;
  return { code: invalidParams, message: 'the client does not declare sampling with tools' };
}

/** Until 2025-11-25 there were only forms, and nobody had to say so. */
function elicits(elicitation: Members, mode: 'form' | 'url'): boolean {
  return elicitation[mode] !== undefined || (mode === 'form' && elicitation.url === undefined);
}

/** A question in the words of the client's revision. */
function worded({ method, params }: InputRequest, version: string): InputRequest {
  if (method !== 'elicitation/create' || params === undefined)
    return params === undefined ? { method } : { method, params };
  if (params.mode === 'url') {
    const { elicitationId = randomHex(16) } = params;
    return { method, params: { ...params, elicitationId } };
  }
  if (version >= '2025-11-25') return { method, params };
  const { mode: _, ...older } = params;
  return { method, params: older };
}

/** Of what a client declares, that which its revision has: nobody is to count on more. */
export function capabilitiesIn(version: string, declared: Members): Members {
  const { extensions } = declared;
  if (isMembers(extensions) && extensions[taskExtension] !== undefined) {
    // It asks for tasks itself, and could not follow one that a server begins.
    const { [taskExtension]: _, ...others } = extensions;
    return capabilitiesIn(version, { ...declared, extensions: others });
  }
  if (version >= '2025-11-25') return declared;
  const { elicitation, sampling, ...rest } = declared;
  const hasForms = isMembers(elicitation) && elicits(elicitation, 'form');
  return {
    ...rest,
    ...(isMembers(sampling) ? { sampling: {} } : {}),
    ...(hasForms && version >= '2025-06-18' ? { elicitation: {} } : {}),
  };
}

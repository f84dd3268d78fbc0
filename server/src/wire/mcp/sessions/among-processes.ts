import type { InputAnswer, LogLevel } from '#domain';
import type { RpcId } from '../rpc.ts';
import { isQuestionOf } from './question-id.ts';
import type { Session } from './session.ts';
import type { SessionShelf } from './session-shelf.ts';

/**
 * What became known in the process of a server that ends sessions, and where the notifications of their clients arrive; others
 * serve calls in them.
 */
export type SessionNews =
  | { readonly kind: 'ended'; readonly id: string }
  /** The client wants no answer to this request any more. */
  | { readonly kind: 'cancelled'; readonly id: string; readonly request: RpcId }
  /** The client answers what it was asked in the course of a request. */
  | { readonly kind: 'answered'; readonly id: string; readonly question: RpcId; readonly answer: InputAnswer }
  | { readonly kind: 'log_level'; readonly id: string; readonly level: LogLevel };

/** To all processes of the server that serve in sessions beside this one; done when they act by it. */
export type TellProcesses = (news: SessionNews) => Promise<void>;

/** By a longer id no request is taken back elsewhere: what is told to all should be short. */
const maxToldId = 256;

/** Whether a request of this id can be taken back wherever it is served. */
export function isToldOf(id: RpcId): boolean {
  return typeof id === 'number' || (typeof id === 'string' && id.length <= maxToldId);
}

interface Here {
  readonly shelf: SessionShelf;
  /** Lets go of a session. */
  readonly ended: (id: string) => void;
  /** What is being read of a session was before that. */
  readonly overtaken: (id: string) => void;
}

export function amongProcesses({ shelf, ended, overtaken }: Here, tell: TellProcesses) {
  /** Questions of which an answer is being told. It may be large, and a client may send it as often as it likes. */
  const answering = new Set<RpcId>();
  return {
    /** The client takes a request back, whichever process serves it. */
    cancel({ id, pending }: Session, request: RpcId): void {
      const here = pending.get(request);
      if (here !== undefined) here.abort();
      else if (isToldOf(request)) void tell({ kind: 'cancelled', id, request });
    },
    /** The client answers a question, whichever process asked it. */
    answer(session: Session, question: RpcId, answer: InputAnswer): void {
      const here = session.questions.get(question);
      if (here !== undefined) here.settle(answer);
      else if (isQuestionOf(session, question) && !answering.has(question)) {
        answering.add(question);
        void tell({ kind: 'answered', id: session.id, question, answer }).finally(() =>
          answering.delete(question),
        );
      }
    },
    /** What another process told. */
    heard(news: SessionNews): void {
      const session = shelf.byId(news.id);
      if (news.kind === 'ended') ended(news.id);
      else if (news.kind === 'cancelled') session?.pending.get(news.request)?.abort();
      else if (news.kind === 'answered') session?.questions.get(news.question)?.settle(news.answer);
      else if (session === undefined) overtaken(news.id);
      else session.logLevel = news.level;
    },
    /** Ids of sessions that were in use here since then. */
    usedSince: shelf.usedSince,
    /** They were in use elsewhere: here, too, they are not idle. */
    usedElsewhere(ids: readonly string[]): void {
      for (const id of ids) {
        const session = shelf.byId(id);
        if (session !== undefined) shelf.touch(session);
      }
    },
  };
}

import { taskExtension } from '#domain';
import { err, isMembers, type Members, ok, type Result } from '#foundation';
import type { CallFailure } from '../../contract.ts';
import { failureOf } from '../../failure.ts';
import { modernHeaders } from '../era.ts';
import { clientCapabilitiesKey, modernMeta } from '../protocol.ts';
import { nextId, type Reply } from '../transports/exchange.ts';
import type { Message } from '../transports/message.ts';
import type { Line } from '../transports/transport.ts';

/** What a server of the modern era is to tell of. */
export interface Wanted {
  readonly toolsListChanged?: true;
  readonly promptsListChanged?: true;
  readonly resourcesListChanged?: true;
  readonly resourceSubscriptions?: readonly string[];
  readonly taskIds?: readonly string[];
}

/** An open `subscriptions/listen`. */
export interface ModernStream {
  /** What the server said that it will tell of; what was wanted where it did not say. */
  readonly honoured: Members;
  /** Resolves when the stream ended by itself. */
  readonly ended: Promise<void>;
  close(): void;
}

const method = 'subscriptions/listen';
const withTasks = { ...modernMeta, [clientCapabilitiesKey]: { extensions: { [taskExtension]: {} } } };

/** Resolves once the server listens to us, or refused to. */
export function openModernStream(
  line: Line,
  authorization: string,
  wanted: Wanted,
  timeoutMs: number,
  onNotification: (method: string, params: Members | undefined) => void,
): Promise<Result<ModernStream, CallFailure>> {
  return new Promise((resolve) => {
    const abort = new AbortController();
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    const close = () => abort.abort();
    const opened = (said: unknown) => {
      resolve(ok({ honoured: isMembers(said) ? said : { ...wanted }, ended, close }));
    };
    const onMessage = (message: Message) => {
      if (message.kind !== 'notification' || abort.signal.aborted) return;
      const isAnswer = message.method === 'notifications/subscriptions/acknowledged';
      opened(isAnswer ? message.params?.notifications : undefined);
      if (!isAnswer) onNotification(message.method, message.params);
    };
    const id = nextId();
    const params = { notifications: wanted, _meta: wanted.taskIds === undefined ? modernMeta : withTasks };
    const body = JSON.stringify({ jsonrpc: '2.0', id, method, params });
    const headers = authorization + modernHeaders(method);
    const lasting = { timeoutMs, lasting: true, signal: abort.signal, harmless: false };
    void line.request({ id, body, headers, ...lasting, onMessage }, null).then((reply) => {
      resolve(reply.ok ? refusedBy(reply.value) : err(failureOf(reply.error, 'tools_fetched')));
      end();
      // Over a channel, nothing else tells the server.
      const isOurs =
        line.isChannel && (abort.signal.aborted || (!reply.ok && reply.error.kind === 'timeout'));
      if (isOurs) void line.tell({ method: 'notifications/cancelled', params: { requestId: id } }, null);
    });
  });
}

/** Of no effect where the stream was open before. */
function refusedBy(reply: Reply): Result<never, CallFailure> {
  const step = 'tools_fetched';
  if (reply.kind === 'error') {
    const { message: words, code: number } = reply.error;
    const message = `the server refused ${method}: ${words} (${number})`;
    return err({ code: 'source.request_failed', message, step, rpc: reply.error });
  }
  const why = reply.kind === 'refused' ? reply.why : 'it ended it at once';
  return err({ code: 'source.answer_invalid', message: `the server did not take ${method}: ${why}`, step });
}

import type { ExecutionMode, ToolError } from '@sallyport/contracts';
import type { ShownTool } from '#catalog';
import {
  type Caller,
  type CallNotification,
  type ClientSide,
  consentsIn,
  type Gateway,
  type Refusal,
  type SourceReturn,
  silentClient,
  taskExtension,
} from '#domain';
import { isMembers, type Members } from '#foundation';
import { type CallRefusal, type Pipeline, surelyUndone } from '#pipeline';
import type { Span } from '#telemetry';
import type { Kept, Said } from './execution.ts';

/** One call, as whoever is the caller now. */
export interface Attempt {
  readonly executionId: string;
  readonly caller: Caller;
  readonly gateway: Gateway | null;
  readonly ref: string;
  readonly args: Members;
  /** `null`: it is not there any more, or not for this caller. */
  readonly shown: ShownTool | null;
  readonly client: ClientSide;
  readonly meta: Members | null;
  readonly span: Span;
  readonly startedAt: number;
  readonly signal: AbortSignal;
  readonly notify: ((notification: CallNotification) => void) | null;
}

/** What came of it. */
export type Outcome =
  | { readonly kind: 'succeeded'; readonly kept: Kept }
  /** `isUndone`: it surely did nothing. */
  | {
      readonly kind: 'failed';
      readonly kept: Kept;
      readonly told: Refusal | null;
      readonly isUndone: boolean;
    }
  /** It was sent, and nobody knows what became of it. */
  | { readonly kind: 'unknown'; readonly kept: Kept; readonly isStopped: boolean }
  | {
      readonly kind: 'waiting';
      readonly waitingFor: 'input' | 'consent' | 'approval';
      readonly kept: Kept;
      /** ISO 8601; `null`: as long as questions wait. */
      readonly expiresAt: string | null;
    };

/** Who is asked by the answer, and comes back with `resume_execution`. */
const askedLater: ClientSide = { ...silentClient, capabilities: { elicitation: { form: {}, url: {} } } };

/**
 * Who may be asked what the tool wants to know. One who cannot be asked at once is asked by the answer only where they said so; who
 * follows tasks is, when they look.
 */
export function clientFor(mode: ExecutionMode, client: ClientSide): ClientSide {
  if (mode === 'interactive') return askedLater;
  if (mode === 'async') return followsTasks(client) ? askableAs(client) : silentClient;
  return client.ask === null ? { ...silentClient, logLevel: client.logLevel } : { ...client, resume: null };
}

function followsTasks({ ask, capabilities: { extensions } }: ClientSide): boolean {
  return ask === null && isMembers(extensions) && isMembers(extensions[taskExtension]);
}

function askableAs({ capabilities: { elicitation } }: ClientSide): ClientSide {
  return isMembers(elicitation) ? { ...silentClient, capabilities: { elicitation } } : silentClient;
}

/** Makes the call by every step of the pipeline, and says what came of it. Never throws for what a caller or a source did. */
export async function makeAttempt(
  { shown, ref, ...attempt }: Attempt,
  pipeline: Pick<Pipeline, 'callTool' | 'told'>,
): Promise<Outcome> {
  const outcome = await pipeline.callTool({ ...attempt, name: ref, task: null, find: () => shown });
  return outcome.ok
    ? outcomeOfReturn(outcome.value.returned, attempt.client)
    : outcomeOfRefusal(outcome.error, pipeline.told(outcome.error));
}

function outcomeOfReturn(returned: SourceReturn, client: ClientSide): Outcome {
  if (returned.form === 'input_required') return outcomeOfQuestions(returned, client);
  const said = returned.form === 'worker' ? saidByWorker(returned) : saidByServer(returned);
  return said.error === undefined
    ? { kind: 'succeeded', kept: { said } }
    : { kind: 'failed', kept: { said }, told: null, isUndone: false };
}

function outcomeOfQuestions(
  { requests, state }: SourceReturn & { readonly form: 'input_required' },
  client: ClientSide,
): Outcome {
  if (client !== askedLater && !client.capabilities.elicitation) {
    const error = { name: 'client.capability_missing', message: 'the tool wants to ask its user something' };
    return { kind: 'failed', kept: { said: { error, advice: askable } }, told: null, isUndone: false };
  }
  const questions = Object.fromEntries(
    Object.entries(requests).map(([key, { method, params }]) => [
      key,
      { method, ...(params === undefined ? {} : { params }) },
    ]),
  );
  const advice = 'ask the user, and call resume_execution with the answers as response, by the same keys';
  const kept = { said: { questions, advice }, asked: { requests, state } };
  return { kind: 'waiting', waitingFor: 'input', kept, expiresAt: null };
}

const askable = 'execute it with the mode "interactive": then its questions come back';
/** What a server says to a client that it would have to ask. */
const capabilityMissing = -32021;

const unexplained: ToolError = { message: 'the tool failed', kind: 'TOOL_RUNTIME_FATAL', can_retry: false };
const toolFailed = 'source.tool_failed';

function saidByWorker({ output, isError }: SourceReturn & { readonly form: 'worker' }): Said {
  const { value, error } = output;
  if (!isError && error == null) return { output: value ?? null };
  const { stacktrace: _trace, extra, ...shown } = error ?? unexplained;
  const given = Object.fromEntries(Object.entries(shown).filter(([, member]) => member !== null));
  const { stacktrace: _also, ...more } = extra ?? {};
  const tool_error = { ...given, ...(Object.keys(more).length === 0 ? {} : { extra: more }) } as ToolError;
  return { error: { name: toolFailed, message: tool_error.message, tool_error } };
}

/** A single text that stands for all that there is is the output. */
function saidByServer({ result, isError }: SourceReturn & { readonly form: 'mcp' }): Said {
  const { content, structuredContent } = JSON.parse(result.toString()) as Members;
  const blocks = Array.isArray(content) ? content : [];
  const texts = blocks.flatMap((block) =>
    isMembers(block) && block.type === 'text' && typeof block.text === 'string' ? [block.text] : [],
  );
  if (isError) {
    const message = texts.join('\n') || unexplained.message;
    return { content: blocks, error: { name: toolFailed, message } };
  }
  if (structuredContent != null) return { output: structuredContent, content: blocks };
  return blocks.length === 1 && texts.length === 1
    ? { output: texts[0], content: blocks }
    : { content: blocks };
}

/** What became of the call is not known where the source was asked and did not answer. */
const leftOpen: ReadonlySet<string> = new Set([
  'source.timeout',
  'source.interrupted',
  'source.cancelled',
  'source.waiting_lost',
  'internal',
]);

function outcomeOfRefusal(error: CallRefusal, told: Refusal): Outcome {
  const waiting = waitingBy(told);
  if (waiting !== null) return waiting;
  const { code } = told;
  const [message, here] = [asInput(told.message), told.field === undefined ? undefined : asInput(told.field)];
  const named = { name: code, message, ...(here === undefined ? {} : { field: here }) };
  if (leftOpen.has(code) && error.ran !== true) {
    const advice =
      'whether the tool did its work is not known: look in the other system before you call it again';
    return {
      kind: 'unknown',
      kept: { said: { error: named, advice } },
      isStopped: code === 'source.cancelled',
    };
  }
  const isUndone = surelyUndone(error);
  const refused = { ...told, message, ...(here === undefined ? {} : { field: here }) };
  const isUnasked = code === 'client.capability_missing' || error.rpc?.code === capabilityMissing;
  const said = { error: named, ...(isUnasked ? { advice: askable } : {}) };
  return { kind: 'failed', kept: { said }, told: refused, isUndone };
}

/** As `execute_tool` calls them. */
const asInput = (text: string): string => text.replace(/^arguments(?=[. ]|$)/, 'input');

/** A refusal that somebody can lift. */
function waitingBy(told: Refusal): Outcome | null {
  const consents = consentsIn(told);
  const [first] = consents;
  if (first !== undefined) {
    const urls = consents.map(({ url }) => url);
    const advice = `ask the user to open ${urls.join(' , then ')} and to allow it there; then call resume_execution without response`;
    const all = urls.length === 1 ? {} : { authorization_urls: urls };
    const said = { authorization_url: first.url, ...all, advice };
    const kept = { said, consents: consents.map(({ id }) => id) };
    return { kind: 'waiting', waitingFor: 'consent', kept, expiresAt: null };
  }
  const approval = told.code === 'policy.approval_required' ? told.details?.approval : undefined;
  if (!isMembers(approval) || typeof approval.id !== 'string') return null;
  const advice = `${told.message.split('\n').slice(0, -1).join(' ')} Somebody has to approve it first; then call resume_execution without response`;
  const kept = { said: { approval_id: approval.id, advice: advice.trim() } };
  return { kind: 'waiting', waitingFor: 'approval', kept, expiresAt: String(approval.expires_at) };
}

/** Under a code that is not of the tool's making. */
export function refusedBefore(told: Refusal): Outcome {
  const { code, message, field } = told;
  const error = { name: code, message, ...(field === undefined ? {} : { field }) };
  return { kind: 'failed', kept: { said: { error } }, told, isUndone: true };
}

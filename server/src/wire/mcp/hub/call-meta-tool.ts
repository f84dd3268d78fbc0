import { type ExecutionResponse, errorCodes } from '@sallyport/contracts';
import { type InputRequest, inputMethods } from '#domain';
import { err, isMembers, type Members, ok, type Result } from '#foundation';
import type { HubAsking } from '#hub';
import type { Exchange } from '../exchange.ts';
import { type McpDeps, type Refused, recordRefused } from '../front.ts';
import type { Answer, Asked, InputRequired } from '../methods.ts';
import { incoming, ownNotifications } from '../relay.ts';
import { missingFor } from '../rev-2026-07-28/input-required.ts';
import { renamedUris } from '../shown-uris.ts';
import { refusalResult } from '../tool-result.ts';
import { type MetaToolName, metaTools } from './meta-tools.ts';
import { asMeant, runs } from './run-meta-tool.ts';

export interface CalledMetaTool {
  readonly asked: Asked;
  readonly name: MetaToolName;
  readonly args: Members;
}

/** Whether a name is one of the six here: where they stand for the tools that the caller sees. */
export async function presentsHub({ exchange }: Asked, { hub, pipeline }: McpDeps): Promise<boolean> {
  const { caller, view } = exchange;
  const { gateway } = view;
  if (hub === null || gateway.presentation === 'tools') return false;
  const isToldBySize = gateway.presentation === 'auto';
  return hub.presents(gateway, isToldBySize ? await pipeline.visible(caller, gateway, view.tools) : []);
}

/** Runs one of the six, as the call of a tool. */
export async function callMetaTool({ asked, name, args }: CalledMetaTool): Promise<Result<Answer, Refused>> {
  const { exchange, deps } = asked;
  const hub = deps.hub as NonNullable<McpDeps['hub']>;
  const asking = askingOf(asked, name);
  const stopWaiting = deps.streams.whileWaiting(() => exchange.keepAlive());
  try {
    const goesOn = executionIn(asked);
    const told =
      goesOn === null
        ? await runs[name](hub, asking, name === 'execute_tool' ? inWay(asked, asMeant(args)) : asMeant(args))
        : await runs.resume_execution(hub, asking, goesOn);
    if (!told.ok) return await metaRefusal(told.error, exchange, name, deps);
    return isExecution(told.value) ? ok(executionAnswer(asked, told.value)) : ok(plainAnswer(told.value));
  } finally {
    stopWaiting();
  }
}

/** What was named in the arguments, and is not there or does not fit, is for the model to mend: in every revision it is a result. */
async function metaRefusal(
  refused: Refused,
  exchange: Exchange,
  name: MetaToolName,
  deps: McpDeps,
): Promise<Result<Answer, Refused>> {
  const { code } = refused.refusal;
  const isForModel = errorCodes[code].rpc === null || /^(catalog|execution|request)\./.test(code);
  if (!isForModel) return err(refused);
  await recordRefused(exchange, refused, deps);
  const promised = metaTools.find((one) => one.name === name)?.outputSchema ?? null;
  return ok(refusalResult(refused.refusal, promised));
}

function askingOf(asked: Asked, name: MetaToolName): HubAsking {
  const { exchange, client, manners } = asked;
  const { executionId: _, ...said } = incoming(asked, 'hb', { method: 'tools/call', name, target: null });
  return {
    ...said,
    view: exchange.view,
    client: { ...client, resume: null },
    notify: exchange.acceptsStream
      ? (notification) => {
          const { method } = notification;
          const isOthers = ownNotifications.has(method) || method.startsWith('notifications/tasks/');
          if (!isOthers && !manners.unheard.has(method)) exchange.notify(notification);
        }
      : null,
  };
}

/**
 * A client that can be asked is asked: with a handshake while the tool runs, without one by the answer. The model need not know which.
 */
function inWay({ client }: Asked, args: Members): Members {
  const { mode = 'sync' } = args;
  if (!isMembers(client.capabilities.elicitation)) return args;
  if (client.ask !== null) return mode === 'interactive' ? { ...args, mode: 'stream' } : args;
  return mode === 'sync' || mode === 'stream' ? { ...args, mode: 'interactive' } : args;
}

const statePrefix = 'execution:';

/** The execution that a client goes on with, whose questions were put to it. */
function executionIn({ client: { resume } }: Asked) {
  if (resume?.continues !== true || resume.state?.startsWith(statePrefix) !== true) return null;
  const { responses } = resume;
  return {
    execution_id: resume.state.slice(statePrefix.length),
    // Whoever comes back from a consent brings nothing that the tool asked for.
    ...(Object.hasOwn(responses, consentKey) ? {} : { response: responses }),
  };
}

const consentKey = 'authorization';

function isExecution(told: object): told is ExecutionResponse {
  return 'execution_id' in told;
}

function executionAnswer(asked: Asked, execution: ExecutionResponse): Answer {
  return questionsTo(asked, execution) ?? executionResult(asked, execution);
}

/** What the client is asked by the answer, where it said that it can be; else the model reads the questions. */
function questionsTo({ client }: Asked, execution: ExecutionResponse): InputRequired | null {
  if (client.ask !== null || execution.status !== 'waiting') return null;
  const requests = requestsOf(execution);
  const isAskable = (request: InputRequest) =>
    inputMethods.includes(request.method) &&
    Object.keys(missingFor(request, client.capabilities)).length === 0;
  if (Object.keys(requests).length === 0 || !Object.values(requests).every(isAskable)) return null;
  return {
    form: 'input_required',
    requests,
    state: `${statePrefix}${execution.execution_id}`,
    isError: false,
  };
}

function requestsOf({
  waiting_for,
  questions,
  authorization_url: url,
  tool,
}: ExecutionResponse): Readonly<Record<string, InputRequest>> {
  if (waiting_for === 'input') return (questions ?? {}) as Record<string, InputRequest>;
  if (waiting_for !== 'consent' || url === undefined) return {};
  const message = `${tool} needs your authorization. Open the link, allow it there, and come back.`;
  return { [consentKey]: { method: 'elicitation/create', params: { mode: 'url', url, message } } };
}

function plainAnswer(told: object): string {
  return result([], JSON.stringify(told), told, false);
}

/** The tool's own content comes after a line that says how it ended; where it has none, all is in the text. */
function executionResult({ exchange: { view } }: Asked, execution: ExecutionResponse): Answer {
  const { content, ...rest } = execution;
  const { status, tool, execution_id } = execution;
  const blocks = (content ?? []).filter(isMembers);
  const isSaid = execution.output !== undefined || execution.error !== undefined || blocks.length === 0;
  const text = blocks.length === 0 ? JSON.stringify(rest) : `${status}: ${tool} (${execution_id})`;
  const json = result(blocks, text, isSaid ? rest : execution, status === 'failed');
  const found = view.find(tool.slice(tool.indexOf('://') + 3));
  return found === null ? json : renamedUris(view, found.tool.sourceId, 'tools/call', json);
}

function result(
  blocks: readonly Members[],
  text: string,
  structuredContent: object,
  isError: boolean,
): string {
  return JSON.stringify({ content: [{ type: 'text', text }, ...blocks], structuredContent, isError });
}

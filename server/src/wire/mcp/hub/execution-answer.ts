import type { ExecutionResponse } from '@sallyport/contracts';
import { type ClientSide, type InputRequest, inputMethods } from '#domain';
import { isMembers, type Members } from '#foundation';
import type { Answer, Asked, InputRequired } from '../methods.ts';
import { missingFor } from '../rev-2026-07-28/input-required.ts';
import { renamedUris } from '../shown-uris.ts';

/** How a client is told of an execution: as a result for the model, or as questions to the client itself. */

const statePrefix = 'execution:';

export function isExecution(told: object): told is ExecutionResponse {
  return 'execution_id' in told;
}

export function executionAnswer(asked: Asked, execution: ExecutionResponse): Answer {
  return questionsTo(asked, execution) ?? executionResult(asked, execution);
}

/** What a client brings to an execution that asked it something. */
export interface Brought {
  readonly id: string;
  /** Whether it was the tool that asked; else its user was to consent. */
  readonly isInput: boolean;
  readonly responses: Members;
}

/** The execution that a client goes on with, whose questions were put to it. */
export function broughtBy({ client: { resume } }: Pick<Asked, 'client'>): Brought | null {
  if (resume?.continues !== true || resume.state?.startsWith(statePrefix) !== true) return null;
  const [, waitingFor, id = ''] = resume.state.split(':');
  return { id, isInput: waitingFor === 'input', responses: resume.responses };
}

/** Who was to consent, and does not want to. */
export function isDeclined(responses: Members): boolean {
  return Object.values(responses).some((one) => !isMembers(one) || one.action !== 'accept');
}

/** What the client is asked by the answer, where it said that it can be; else the model reads the questions. */
function questionsTo({ client }: Asked, execution: ExecutionResponse): InputRequired | null {
  if (client.ask !== null) return null;
  const requests = requestsTo(client, execution);
  if (requests === null) return null;
  return {
    form: 'input_required',
    requests,
    state: `${statePrefix}${execution.waiting_for}:${execution.execution_id}`,
    isError: false,
  };
}

export type Requests = Readonly<Record<string, InputRequest>>;

/** What one that waits wants to know; `null`: nothing, or nothing that may be asked of this client. */
export function requestsTo({ capabilities }: ClientSide, execution: ExecutionResponse): Requests | null {
  if (execution.status !== 'waiting') return null;
  const requests = requestsOf(execution);
  const isAskable = (request: InputRequest) =>
    inputMethods.includes(request.method) && Object.keys(missingFor(request, capabilities)).length === 0;
  return Object.keys(requests).length > 0 && Object.values(requests).every(isAskable) ? requests : null;
}

function requestsOf(execution: ExecutionResponse): Requests {
  const { waiting_for, questions = {}, authorization_url: url, tool } = execution;
  if (waiting_for === 'input') return questions as Requests;
  if (waiting_for !== 'consent' || url === undefined) return {};
  const message = `${tool} needs your authorization. Open the link, allow it there, and come back.`;
  const requests = (execution.authorization_urls ?? [url]).map((one, at) => {
    const params = { mode: 'url', url: one, message };
    return [at === 0 ? 'authorization' : `authorization-${at + 1}`, { method: 'elicitation/create', params }];
  });
  return Object.fromEntries(requests);
}

/** The tool's own content comes after a line that says how it ended; where it has none, all is in the text. */
export function executionResult(
  { exchange: { view } }: Asked,
  execution: ExecutionResponse,
): string | Buffer {
  const { content, ...rest } = execution;
  const { status, tool, execution_id } = execution;
  const blocks = (content ?? []).filter(isMembers);
  const isSaid = execution.output !== undefined || execution.error !== undefined || blocks.length === 0;
  const text = blocks.length === 0 ? JSON.stringify(rest) : `${status}: ${tool} (${execution_id})`;
  // What may have run, for all that is known, is no success to build on.
  const isError = status === 'failed' || status === 'unknown';
  const json = resultText(blocks, text, isSaid ? rest : execution, isError);
  const found = view.find(tool.slice(tool.indexOf('://') + 3));
  return found === null ? json : renamedUris(view, found.tool.sourceId, 'tools/call', json);
}

/** A `CallToolResult`. */
export function resultText(
  blocks: readonly Members[],
  text: string,
  structuredContent: object,
  isError: boolean,
): string {
  return JSON.stringify({ content: [{ type: 'text', text }, ...blocks], structuredContent, isError });
}

import type { ClientSide, InputAnswer, InputRequest, SourceReturn } from '#domain';
import { type Clock, err, type Members, ok, type Result } from '#foundation';
import type { CallFailure } from '../contract.ts';
import { askFor, type Dispatched, type Going, type Inputs, isDeclined, type Job } from './ask-for.ts';
import { authorizationOf, isAskable, ownerOf, userKey } from './capabilities.ts';
import { createInteraction, type Interaction } from './interaction.ts';
import type { Link } from './link.ts';
import { outcomeOf } from './outcome.ts';
import { isParkedState, type ParkingLot, type Waiting, waitingLost } from './parked.ts';

type Outcome = Result<SourceReturn, CallFailure>;

export interface ConverseDeps {
  readonly link: Link;
  readonly parked: ParkingLot;
  readonly clock: Clock;
}

const maxRounds = 50;
/** Of clients that cannot be asked at once: nothing else may be answered with `input_required`, nor be gone on with. */
const interactive: ReadonlySet<string> = new Set(['tools/call', 'prompts/get', 'resources/read']);

/** Has one request answered, with whatever the server wants to know of the client meanwhile. */
export async function converse(job: Job, deps: ConverseDeps): Promise<Outcome> {
  const { client, signal } = job.from;
  const { resume, capabilities, ask } = client;
  const asks = isAskable(capabilities) && (ask !== null || interactive.has(job.method));
  if (resume === null && !asks) {
    const { large } = job;
    const going: Going = { carrier: { current: job.from }, signal, interaction: null, inputs: null, large };
    return oneRound(job, going, deps);
  }
  if (resume !== null && isParkedState(resume.state)) return takeUp(job, resume, resume.state, deps);
  if (resume !== null) {
    const problem = await problemOf(resume, job, deps);
    if (problem !== null) return err(problem);
  }
  const { timeoutMs } = job;
  const interaction = isAskable(capabilities)
    ? createInteraction({ client, timeoutMs, clock: deps.clock })
    : null;
  if (interaction === null || ask !== null) {
    const outcome = await allRounds(job, interaction, deps);
    interaction?.end();
    return outcome;
  }
  return begin(job, interaction, deps);
}

async function oneRound(job: Job, going: Going, { link }: ConverseDeps): Promise<Outcome> {
  const answer = await link.ask(askFor(job, going));
  return answer.ok ? outcomeOf(job, answer.value) : answer;
}

/** What speaks against going on with what the client brings, where that is to a server of the legacy era. */
async function problemOf(resume: Inputs, job: Job, { link }: ConverseDeps): Promise<CallFailure | null> {
  const { client, credential } = job.from;
  const era = await link.era(ownerOf(client, job.from, authorizationOf(credential)));
  if (!era.ok) return era.error;
  if (era.value === 'modern') return null;
  // Only a server of the modern era gives a state that is not ours, and this one is none any more.
  if (resume.state !== null) return waitingLost();
  if (!isDeclined(resume)) return null;
  return job.failureOf({ code: -32000, message: 'it needs the user to open a link, who did not want to' });
}

/** Asks the client what a server of the modern era wants to know, and asks that again with the answers. */
async function allRounds(job: Job, interaction: Interaction | null, deps: ConverseDeps): Promise<Outcome> {
  const { large } = job;
  const { client, signal } = job.from;
  const carrier = { current: job.from };
  let inputs: Inputs | null = client.resume;
  for (let round = 0; round < maxRounds; round++) {
    const outcome = await oneRound(job, { carrier, signal, interaction, inputs, large }, deps);
    if (!outcome.ok || outcome.value.form !== 'input_required' || client.ask === null) return outcome;
    const { requests, state } = outcome.value;
    const responses = await answersOf(client.ask, requests, signal ?? new AbortController().signal, job);
    if (!responses.ok) return responses;
    inputs = { responses: responses.value, state };
  }
  const message = `the server still wants to know something after ${maxRounds} rounds`;
  return err({ code: 'source.answer_invalid', message, step: 'tools_fetched' });
}

async function answersOf(
  ask: NonNullable<ClientSide['ask']>,
  requests: { readonly [key: string]: InputRequest },
  signal: AbortSignal,
  job: Job,
): Promise<Result<Members, CallFailure>> {
  const asked = Object.entries(requests).map(
    async ([key, request]) => [key, request, await ask(request, signal)] as const,
  );
  const responses: [string, Members][] = [];
  for (const [key, request, answer] of await Promise.all(asked)) {
    const result = resultOf(request, answer);
    if (result !== null) responses.push([key, result]);
    else if ('error' in answer) return err(refusedBy(request, answer.error, job));
  }
  return ok(Object.fromEntries(responses));
}

function resultOf({ method }: InputRequest, answer: InputAnswer): Members | null {
  if ('result' in answer) return answer.result;
  return method === 'elicitation/create' ? { action: 'cancel' } : null;
}

function refusedBy({ method }: InputRequest, rpc: { code: number; message: string }, job: Job): CallFailure {
  const failure = job.failureOf(rpc);
  const message = `the client answered ${method} with an error: ${rpc.message} (${rpc.code})`;
  return { ...failure, message, rpc };
}

/** Begins what may have to wait for a client that cannot be asked at once. */
function begin(job: Job, interaction: Interaction, deps: ConverseDeps): Promise<Outcome> {
  const carrier: { current: Dispatched } = { current: job.from };
  const abort = new AbortController();
  const inputs = job.from.client.resume;
  const going: Going = { carrier, signal: abort.signal, interaction, inputs, large: null };
  const outcome = oneRound(job, going, deps);
  return waitFor({ interaction, outcome, abort, carrier }, job, deps);
}

/** A client comes back with answers to what the server asked. */
async function takeUp(job: Job, { responses }: Inputs, state: string, deps: ConverseDeps): Promise<Outcome> {
  const waiting = deps.parked.take(state, parkerOf(job));
  if (waiting === null) return err(waitingLost());
  waiting.carrier.current = job.from;
  waiting.interaction.answer(responses);
  return waitFor(waiting, job, deps);
}

/** For the answer, or for what the server wants to know. */
async function waitFor(waiting: Waiting, job: Job, { parked }: ConverseDeps): Promise<Outcome> {
  const { interaction, abort } = waiting;
  const { signal } = job.from;
  const onAbort = () => abort.abort();
  if (signal?.aborted === true) onAbort();
  else signal?.addEventListener('abort', onAbort);
  try {
    for (;;) {
      const outcome = await Promise.race([waiting.outcome, interaction.asked()]);
      if (outcome !== undefined) {
        interaction.end();
        return outcome;
      }
      const state = parked.park(waiting, parkerOf(job));
      const requests = interaction.questions();
      if (state !== null) return ok({ form: 'input_required', requests, state, isError: false });
      interaction.refuse('too many requests wait for their clients already');
    }
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
}

const parkerOf = ({ from, method, about }: Job) => ({ user: userKey(from), what: `${method} ${about}` });

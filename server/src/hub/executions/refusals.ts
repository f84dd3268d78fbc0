import { type Refusal, refusal } from '#domain';

/** Not yet ended, of one caller and of one project; about so many, as several at once may each be the last. */
export const maxOpen = { ofCaller: 200, ofProject: 5_000 } as const;

/** Somebody else's is told of like one that never was. */
export function unknownExecution(id: string): Refusal {
  const message = `there is no execution ${JSON.stringify(id.slice(0, 100))} of yours here; what ended is kept for a day`;
  return refusal('execution.unknown', message, { field: 'execution_id' });
}

export function notWaiting(status: string): Refusal {
  const why =
    status === 'waiting'
      ? 'what it answers was answered already; leave response out to see what the execution waits for now'
      : `the execution waits for no answer, it is ${status}; leave response out to look how it is`;
  const message = `response: ${why}`;
  return refusal('execution.not_waiting', message, { field: 'response' });
}

export const tooMany = refusal(
  'policy.concurrency_limited',
  `you have ${maxOpen.ofCaller} executions that have not ended: cancel some, or wait for them`,
);

export const tooManyOfAll = refusal(
  'policy.concurrency_limited',
  `${maxOpen.ofProject} executions of this project have not ended: try again later, or wait for the answer of each (mode "sync", no idempotency_key)`,
);

/** What keeps another execution from being begun. */
export const isFull = (told: Refusal): boolean => told === tooMany || told === tooManyOfAll;

export const otherRequest = refusal(
  'request.repeated',
  'idempotency_key: was used for another tool, or another input',
  { field: 'idempotency_key' },
);

export const inputTooLarge = refusal(
  'request.too_large',
  'input: is larger than 1 MiB, which is more than is kept; execute it with the mode "sync"',
  { field: 'input' },
);

export const stopping = refusal('server.stopping', 'this process is about to end: try again', {
  retryAfterMs: 1000,
});

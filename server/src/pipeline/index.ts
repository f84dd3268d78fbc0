/**
 * Pipeline: one tool call, in order, whichever front it came through; requests for prompts and resources by the same steps,
 * and listing by the same decision.
 *
 *   authenticate → resolve → authorize → await consent → screen input → attach credential → dispatch → screen output
 *
 * Audit wraps all of it: one record a call, whatever happens, journalled before the caller gets the answer. Steps never
 * call one another; the order is `call-tool.ts`. Nothing here speaks a protocol.
 */

export type { CallRefusal, Received, ReceivedRequest, ReceivedSubscription, Screened } from './call.ts';
export type { Pipeline, Presented } from './contract.ts';
export { surelyUndone } from './give-back.ts';
export { createPipeline } from './pipeline.ts';
export { hasRun } from './record.ts';

import type { ExplainRequest } from '@sallyport/contracts';
import type { Members } from '#foundation';
import type { ExplainedCall } from './contract.ts';
import type { Parts } from './parts.ts';

/** Why a call would be allowed or refused: the whole chain, without running anything. */
export async function explain(
  _parts: Parts,
  _asked: ExplainRequest,
  _about: ExplainedCall,
): Promise<Members> {
  return {};
}

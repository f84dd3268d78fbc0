/**
 * Egress: the only way out of the process to a source, an identity provider or anything else.
 *
 * It owns which addresses may be reached and by whom, name resolution, connections and their reuse, time-outs and
 * size caps. Every connection is made to an address that was checked just before. It never reads what is sent or
 * answered beyond the framing of HTTP/1.1, never follows a redirect unless asked to by `get`, and never sends a request
 * twice that may have arrived.
 */

export type {
  Borrower,
  Egress,
  EgressFailure,
  EgressFailureKind,
  EgressOptions,
  Trust,
  Upstream,
  UpstreamHead,
  UpstreamRequest,
  UpstreamResponse,
  UpstreamTls,
} from './contract.ts';
export { createEgress } from './egress.ts';
export { FetchFailed, guardedFetch } from './guarded-fetch.ts';

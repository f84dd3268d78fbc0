import { type Egress, FetchFailed, guardedFetch } from '#egress';
import { type Clock, isMembers, messageOf } from '#foundation';
import type { Log } from '#telemetry';
import { createAttemptLimit } from '../sign-in/attempt-limit.ts';
import { actingMetadata } from './client-metadata.ts';
import { knownClientDocument } from './known-clients.ts';

const timeoutMs = 5_000;
const maxBytes = 64 * 1024;
/** In a minute. Anybody can name a document: we are nobody's tool to ask other servers many things. */
const maxFetches = 600;
const maxFetchesOfHost = 60;

export interface ClientDocumentsDeps {
  readonly egress: Egress;
  readonly clock: Clock;
  readonly log: Log;
}

/** How the library fetches what clients publish of themselves: their metadata documents, and their keys. */
export function createClientDocuments({ egress, clock, log }: ClientDocumentsDeps): {
  readonly fetch: typeof fetch;
} {
  const get = guardedFetch(egress, 'api', { timeoutMs, maxBytes });
  const all = createAttemptLimit(clock, maxFetches);
  const byHost = createAttemptLimit(clock, maxFetchesOfHost);

  return {
    fetch: async (input, init) => {
      const url = String(input);
      const { headers, signal } = init ?? {};
      try {
        const { host } = new URL(url);
        if (all.isOver('') || byHost.isOver(host)) throw new Error('too many were fetched within a minute');
        all.failed('');
        byHost.failed(host);
        const answer = await get(url, { headers: headers ?? {}, signal: signal ?? null });
        return answer.status === 200 ? await actingDocument(url, answer) : answer;
      } catch (error) {
        const reason = error instanceof FetchFailed ? error.message : messageOf(error);
        const known = knownClientDocument(url);
        if (known !== null) {
          log.info(
            { url, reason },
            'a metadata document was not to be had; the one that comes with Sallyport acts',
          );
          return await actingDocument(url, new Response(known));
        }
        log.warn({ url, reason }, 'what a client publishes of itself could not be fetched');
        throw error;
      }
    },
  };
}

/** A metadata document as it acts here; anything else as it came. */
async function actingDocument(url: string, answer: Response): Promise<Response> {
  const text = await answer.text();
  const { status, headers } = answer;
  try {
    const declared: unknown = JSON.parse(text);
    if (isMembers(declared) && declared.client_id === url) {
      const { client_secret, token_endpoint_auth_method = 'none' } = declared;
      const acting = {
        ...actingMetadata(declared),
        client_id: url,
        client_secret,
        token_endpoint_auth_method,
      };
      return new Response(JSON.stringify(acting), { status, headers });
    }
  } catch {
    // The library says what is wrong with it.
  }
  return new Response(text, { status, headers });
}

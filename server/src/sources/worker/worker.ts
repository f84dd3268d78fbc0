import { createHash } from 'node:crypto';
import type { Source } from '#domain';
import type { Upstream, UpstreamResponse } from '#egress';
import { type Clock, err, ok, type Result } from '#foundation';
import type { Inspection, InspectionFailure, SourceConnection, SourceDeps, SourceKind } from '../contract.ts';
import { failureOf, type Requester, send } from '../failure.ts';
import { notAnArray } from '../json-array.ts';
import { defaultMaxAnswerBytes, defaultMaxListBytes, inspectionTimeoutMs } from '../limits.ts';
import { inspected, withSteps } from '../steps.ts';
import { invoke } from './invoke.ts';
import { entriesOf, noArray } from './list.ts';
import { listingsOf } from './listing.ts';
import { createRequestSigner } from './token.ts';

/** Arcade's worker protocol, as its Python and TypeScript workers speak it. */
export const workerKind: SourceKind = {
  kind: 'worker',
  open(source, deps) {
    const upstream = deps.egress.upstream(source.uri, source.origin);
    if (!upstream.ok) return err(failureOf(upstream.error, 'address_resolved'));
    return ok(openWorker(source, deps, upstream.value));
  },
};

function openWorker(source: Source, deps: SourceDeps, upstream: Upstream): SourceConnection {
  const url = new URL(source.uri);
  const base = url.pathname.replace(/\/+$/, '');
  const signed = source.secret === null ? upstream : signing(upstream, source.secret, base, deps.clock);
  const maxAnswerBytes = deps.maxAnswerBytes ?? defaultMaxAnswerBytes;
  const invoker = {
    upstream: signed,
    source,
    path: `${base}/worker/tools/invoke${url.search}`,
    maxAnswerBytes,
    clock: deps.clock,
    issuer: deps.issuer ?? (() => ''),
  };
  let last: { readonly digest: string; readonly etag: string; readonly inspection: Inspection } | null = null;

  async function inspect(): Promise<Result<Inspection, InspectionFailure>> {
    const answer = await send(
      signed,
      {
        method: 'GET',
        path: `${base}/worker/tools${url.search}`,
        headers: `accept: application/json\r\n${last === null || last.etag === '' ? '' : `if-none-match: ${last.etag}\r\n`}`,
        timeoutMs: inspectionTimeoutMs(source),
        maxBytes: deps.maxAnswerBytes ?? defaultMaxListBytes,
      },
      Math.max(1, source.retry),
      true,
    );
    if (!answer.ok) return err(withSteps(failureOf(answer.error, 'tools_fetched')));
    if (answer.value.status === 304 && last !== null) return ok(last.inspection);
    const digest = createHash('sha256').update(answer.value.body).digest('base64');
    if (answer.value.status === 200 && last?.digest === digest) return ok(last.inspection);
    const inspection = await inspectionOf(answer.value, source.uri);
    const etag = etagOf(answer.value);
    last = inspection.ok ? { digest, etag, inspection: inspection.value } : null;
    return inspection;
  }

  return { inspect, call: (call) => invoke(call, invoker), close: async () => upstream.close() };
}

async function inspectionOf(
  answer: UpstreamResponse,
  uri: string,
): Promise<Result<Inspection, InspectionFailure>> {
  const entries = entriesOf(answer, uri);
  if (!entries.ok) return err(withSteps(entries.error));
  try {
    return await inspected({ tools: listingsOf(entries.value) }, { protocolVersion: null, serverInfo: null });
  } catch (thrown) {
    if (thrown !== notAnArray) throw thrown;
    return err(withSteps(noArray(answer)));
  }
}

const maxEtagLength = 1024;

/** By which the worker knows this list again; `''`: it does not say, or says what could not be said back. */
function etagOf(answer: UpstreamResponse): string {
  const etag = answer.header('etag') ?? '';
  return etag.length <= maxEtagLength && /^(?:W\/)?"[\x21\x23-\x7e]*"$/.test(etag) ? etag : '';
}

/** Signs each request anew, one that is sent again too: a strict worker takes no token twice. */
function signing(upstream: Upstream, secret: string, base: string, clock: Clock): Requester {
  const sign = createRequestSigner(secret, clock);
  return {
    request(request) {
      const token = sign(request.method, request.path.slice(base.length), request.body ?? '');
      return upstream.request({
        ...request,
        headers: `authorization: Bearer ${token}\r\n${request.headers}`,
      });
    },
  };
}

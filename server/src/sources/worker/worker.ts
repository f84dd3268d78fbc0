import type { Source, SourceFailure } from '#domain';
import type { Upstream, UpstreamHead } from '#egress';
import { type Clock, err, ok, type Result } from '#foundation';
import type { Inspection, InspectionFailure, SourceConnection, SourceDeps, SourceKind } from '../contract.ts';
import { failureOf, type Requester, send } from '../failure.ts';
import { defaultMaxAnswerBytes, defaultMaxListBytes, inspectionTimeoutMs } from '../limits.ts';
import { listKnownFrom, type ReadList } from '../read-list.ts';
import { inspected, tooLong, withSteps } from '../steps.ts';
import { invoke } from './invoke.ts';
import { createListBody, type ListBody, refusedBy } from './list.ts';
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
  const maxBytes = deps.maxAnswerBytes ?? defaultMaxListBytes;
  const timeoutMs = inspectionTimeoutMs(source);
  const invoker = {
    upstream: signed,
    source,
    path: `${base}/worker/tools/invoke${url.search}`,
    maxAnswerBytes,
    clock: deps.clock,
    issuer: deps.issuer ?? (() => ''),
  };
  let last: { readonly list: ReadList; readonly etag: string; readonly inspection: Inspection } | null = null;

  /** As it was kept by a process before this one. */
  let known: ReadList | null = null;

  async function inspect(): Promise<Result<Inspection, InspectionFailure>> {
    const abort = new AbortController();
    known ??= listKnownFrom((await deps.listed?.(source)) ?? null, basis) ?? nothing;
    let taking: ListBody | null = null;
    const answer = await send(
      signed,
      {
        method: 'GET',
        path: `${base}/worker/tools${url.search}`,
        headers: `accept: application/json\r\n${last === null || last.etag === '' ? '' : `if-none-match: ${last.etag}\r\n`}`,
        timeoutMs,
        maxBytes,
        signal: abort.signal,
        stream(head) {
          taking = isTooLarge(head) ? null : bodyOf(head, abort);
          return taking;
        },
      },
      Math.max(1, source.retry),
      true,
    );
    const body = taking as ListBody | null;
    if (!answer.ok) return err(withSteps(failureOf(body?.refusal ?? answer.error, 'tools_fetched')));
    if (answer.value.status === 304 && last !== null) return ok(last.inspection);
    const refused = refusedBy(answer.value, source.uri);
    if (refused !== null || body === null) return refusedAs(refused);
    return read(body, answer.value);
  }

  const isTooLarge = (head: UpstreamHead) => Number(head.header('content-length') ?? 0) > maxBytes;

  function bodyOf({ status }: UpstreamHead, abort: AbortController): ListBody | null {
    if (status !== 200) return null;
    const bounds = {
      maxBytes,
      idleTimeoutMs: timeoutMs,
      timeoutMs: longestLooks * timeoutMs,
      clock: deps.clock,
    };
    return createListBody(last?.list ?? known, bounds, () => abort.abort());
  }

  async function read(body: ListBody, head: UpstreamHead): Promise<Result<Inspection, InspectionFailure>> {
    const flaw = await body.intake.end();
    if (flaw !== null) {
      last = null;
      return refusedAs(flaw === 'too long' ? tooLong : body.noArray());
    }
    const taken = body.intake.taken();
    const etag = etagOf(head);
    if (taken.isSame && last !== null) {
      last = { ...last, etag };
      return ok(last.inspection);
    }
    const inspection = inspected(taken, basis, null, { protocolVersion: null, serverInfo: null });
    last = inspection.ok ? { list: taken.list, etag, inspection: inspection.value } : null;
    known = nothing;
    return inspection;
  }

  return {
    inspect,
    call: (call) => invoke(call, invoker),
    standsAlone: () => true,
    close: async () => upstream.close(),
  };
}

/** The tools depend on nothing but what is written. */
const basis = 'worker';
const nothing: ReadList = { marks: Buffer.alloc(0), listings: [] };

/** A list may go on for so many times as long as it may stand still. */
const longestLooks = 4;

function refusedAs(failure: SourceFailure | null): Result<never, InspectionFailure> {
  const empty: SourceFailure = {
    code: 'source.answer_invalid',
    message: 'it answered nothing',
    step: 'tools_fetched',
  };
  return err(withSteps(failure ?? empty));
}

const maxEtagLength = 1024;

/** By which the worker knows this list again; `''`: it does not say, or says what could not be said back. */
function etagOf(answer: UpstreamHead): string {
  const etag = answer.header('etag') ?? '';
  return etag.length <= maxEtagLength && /^(?:W\/)?"[\x21\x23-\x7e]*"$/.test(etag) ? etag : '';
}

/** Signs each request anew, one that is sent again too: a strict worker takes no token twice. */
function signing(upstream: Upstream, secret: string, base: string, clock: Clock): Requester {
  const sign = createRequestSigner(secret, clock);
  return {
    request(request) {
      const token = sign(request.method, request.path.slice(base.length), request.body ?? '');
      return upstream.request({ ...request, authorization: `Bearer ${token}` });
    },
  };
}

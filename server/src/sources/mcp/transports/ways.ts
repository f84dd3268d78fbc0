import type { Source, SourceFailure } from '#domain';
import type { Upstream, UpstreamRequest } from '#egress';
import { err, ok, type Result } from '#foundation';
import type { SourceDeps } from '../../contract.ts';
import { failureOf } from '../../failure.ts';
import { defaultMaxAnswerBytes, inspectionTimeoutMs } from '../../limits.ts';
import { type SourceHeaders, sourceHeaders } from '../headers.ts';
import type { Endpoint } from './exchange.ts';
import { createStreamableHttp } from './http-line.ts';
import { createHttpSse } from './http-sse.ts';
import { createStdio } from './stdio.ts';
import type { Ways } from './transport.ts';

/** How the server of a source is reached. Connects to nothing; fails on what no retry can mend. */
export function waysTo(source: Source, deps: SourceDeps): Result<Ways, SourceFailure> {
  const maxMessageBytes = deps.maxAnswerBytes ?? defaultMaxAnswerBytes;
  const { stdio: command } = source;
  if (command !== undefined && command !== null) {
    const { processEnv: env = {}, clock, log } = deps;
    // Never in the words of the API, which has none for it: what is stored is not trusted with it either.
    if (source.origin !== 'file') return err(notDeclared);
    return ok({ first: createStdio({ source, command, env, maxMessageBytes, clock, log }), older: null });
  }
  const upstream = deps.egress.upstream(source.uri, source.origin);
  if (!upstream.ok) return err(failureOf(upstream.error, 'address_resolved'));
  const headers = sourceHeaders(source, deps.secretOf ?? (() => null));
  if (!headers.ok) {
    upstream.value.close();
    return headers;
  }
  const url = new URL(source.uri);
  const { authorizes, fixed, secret } = headers.value;
  const endpoint: Endpoint = {
    upstream: secret === null ? upstream.value : carrying(upstream.value, secret),
    path: url.pathname + url.search,
    headers: `content-type: application/json\r\naccept: application/json, text/event-stream\r\n${fixed}`,
    authorizes,
    retry: source.retry,
    maxAnswerBytes: maxMessageBytes,
    clock: deps.clock,
  };
  const older = () => createHttpSse(endpoint, inspectionTimeoutMs(source));
  return ok({ first: createStreamableHttp(endpoint), older });
}

/** With the source's secret headers on every request, as they are at that moment. */
function carrying(upstream: Upstream, lines: NonNullable<SourceHeaders['secret']>): Upstream {
  async function send(
    request: UpstreamRequest,
    own: Result<string, string>,
  ): ReturnType<Upstream['request']> {
    if (own.ok) return upstream.request({ ...request, headers: request.headers + own.value });
    return err({ kind: 'unprepared', message: own.error, sent: false });
  }
  return {
    origin: upstream.origin,
    check: () => upstream.check(),
    close: () => upstream.close(),
    request(request) {
      const own = lines();
      return own instanceof Promise ? own.then((found) => send(request, found)) : send(request, own);
    },
  };
}

const notDeclared: SourceFailure = {
  code: 'source.address_refused',
  message: 'a process is started only for what the config file declares',
  step: 'egress_allowed',
};

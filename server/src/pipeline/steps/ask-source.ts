import { type SourceReturn, type TraceContext, withBaggage } from '#domain';
import type { Members, Result } from '#foundation';
import type { Sources } from '#sources';
import { attributesOf, type Facts, type Span, serverOf, spanName, toolError } from '#telemetry';

/** What a source is asked, for the span of it. */
export interface AboutAsking {
  readonly projectId: string;
  readonly sourceId: string;
  readonly method: string;
  /** The tool or the prompt by the source's own name; `null` for all else. */
  readonly name: string | null;
}

type Asked<Failure> = Promise<Result<SourceReturn, Failure>>;

/** Asks a source, which is told where in the trace it is asked; in a span of its own where the request is sampled. */
export function askSource<Failure extends { readonly code: string }>(
  span: Span,
  sources: Sources,
  about: AboutAsking,
  meta: Members | null,
  send: (trace: TraceContext | null) => Asked<Failure>,
): Asked<Failure> {
  return span.sampled ? askWithin(span, sources, about, meta, send) : send(withBaggage(span.passedOn, meta));
}

async function askWithin<Failure extends { readonly code: string }>(
  span: Span,
  sources: Sources,
  about: AboutAsking,
  meta: Members | null,
  send: (trace: TraceContext | null) => Asked<Failure>,
): Asked<Failure> {
  const asking = span.child(spanName(about.method, about.name), {
    kind: 'client',
    attributes: attributesOf(factsOf(sources, about)),
  });
  const answer = await send(withBaggage(asking.passedOn, meta));
  const failed = answer.ok ? (answer.value.isError ? toolError : null) : answer.error.code;
  asking.end(failed);
  return answer;
}

function factsOf(sources: Sources, { projectId, sourceId, method, name }: AboutAsking): Facts {
  const source = sources.get(projectId, sourceId);
  const isCall = method === 'tools/call';
  return {
    ...(source === null ? {} : source.stdio == null ? serverOf(source.uri) : { transport: 'pipe' }),
    ...(source?.kind === 'mcp' ? { mcpMethod: method } : {}),
    ...(isCall ? { operation: 'execute_tool', toolName: name } : {}),
    ...(method === 'prompts/get' ? { promptName: name } : {}),
    source: sourceId,
  };
}

import type { Source } from '#domain';
import type { Upstream } from '#egress';
import { err, ok, type Result } from '#foundation';
import type { Inspection, InspectionFailure, SourceConnection, SourceDeps, SourceKind } from '../contract.ts';
import { failureOf } from '../failure.ts';
import { defaultMaxAnswerBytes, inspectionTimeoutMs } from '../limits.ts';
import { inspected, withSteps } from '../steps.ts';
import { callTool } from './call.ts';
import type { Endpoint } from './exchange.ts';
import { sourceHeaders } from './headers.ts';
import { createLink } from './link.ts';
import { fetchList } from './list.ts';
import { fetchOthers } from './list-others.ts';
import { createListener } from './listen.ts';
import { listingsOf } from './listing.ts';

/** MCP servers over Streamable HTTP, from 2024-11-05 to 2026-07-28. */
export const mcpKind: SourceKind = {
  kind: 'mcp',
  open(source, deps, { onListChanged }) {
    const upstream = deps.egress.upstream(source.uri, source.origin);
    if (!upstream.ok) return err(failureOf(upstream.error, 'address_resolved'));
    const headers = sourceHeaders(source);
    if (headers.ok) return ok(openMcp(source, headers.value, deps, upstream.value, onListChanged));
    upstream.value.close();
    return headers;
  },
};

function openMcp(
  source: Source,
  headers: string,
  deps: SourceDeps,
  upstream: Upstream,
  onToolsChanged: () => void,
): SourceConnection {
  const url = new URL(source.uri);
  const endpoint: Endpoint = {
    upstream,
    path: url.pathname + url.search,
    headers: `content-type: application/json\r\naccept: application/json, text/event-stream\r\n${headers}`,
    retry: source.retry,
    maxAnswerBytes: deps.maxAnswerBytes ?? defaultMaxAnswerBytes,
    clock: deps.clock,
  };
  const timeoutMs = inspectionTimeoutMs(source);
  const link = createLink({ endpoint, timeoutMs, onToolsChanged });
  const listener = createListener({ endpoint, timeoutMs, onToolsChanged });
  let last: { readonly digest: string; readonly inspection: Inspection } | null = null;

  async function inspect(): Promise<Result<Inspection, InspectionFailure>> {
    await link.reconsider();
    const bounds = { timeoutMs, maxBytes: endpoint.maxAnswerBytes };
    const pages = await fetchList(link, 'tools/list', bounds);
    if (!pages.ok) return err(withSteps(pages.error));
    const { entries, answer } = pages.value;
    const { serverInfo, listChanged, capabilities } = answer.offer;
    if (listChanged) listener.ensure(answer.session);
    else listener.stop();
    const others = await fetchOthers(link, capabilities, bounds);
    const about = { protocolVersion: answer.version, serverInfo };
    const digest = JSON.stringify([pages.value.digest, others.digest, about]);
    if (last?.digest === digest) return ok(last.inspection);
    const listed = listingsOf(entries, { toolkit: source.id, serverInfo, modern: answer.session === null });
    const inspection = inspected({ ...listed, others: others.read() }, about);
    last = inspection.ok ? { digest, inspection: inspection.value } : null;
    return inspection;
  }

  return {
    inspect,
    call: (call) => callTool(call, link, source.timeoutMs),
    close() {
      listener.stop();
      void link.close().finally(() => upstream.close());
    },
  };
}

import { hash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Refusal, refusal } from '#domain';
import { contentTypes, expose, formatFor, type MetricSnapshot } from '#telemetry';

export interface MetricsPage {
  readonly read: () => Promise<readonly MetricSnapshot[]>;
  /** What a scraper must bring; `null`: nothing. */
  readonly token: string | null;
}

/** Why this scraper may not read the metrics. They name gateways and sources, never people. */
export function closedToScraper({ token }: MetricsPage, authorization: string | undefined): Refusal | null {
  if (token === null) return null;
  const brought = /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
  const field = 'Authorization';
  if (brought === undefined)
    return refusal('identity.missing', 'send Authorization: Bearer {token}', { field });
  if (isSame(brought, token)) return null;
  return refusal('identity.invalid', 'this is not the token of SALLYPORT_METRICS_TOKEN', { field });
}

/** In the same time wherever they differ, and however long they are. */
function isSame(brought: string, token: string): boolean {
  return timingSafeEqual(hash('sha256', brought, 'buffer'), hash('sha256', token, 'buffer'));
}

/** Answers a scraper, in the format that it likes best. */
export async function serveMetrics(
  { read }: MetricsPage,
  { headers: { accept } }: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const format = formatFor(accept);
  const text = expose(await read(), format);
  response.writeHead(200, {
    'content-type': contentTypes[format],
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    vary: 'Accept',
  });
  response.end(text);
}

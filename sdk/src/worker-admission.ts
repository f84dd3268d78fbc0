import type { IncomingMessage, ServerResponse } from 'node:http';
import { readBody } from './read-body.ts';
import { sendJson } from './send-json.ts';
import type { StrictTokenCheck } from './strict-token.ts';
import type { WorkerTokenCheck } from './worker-token.ts';

/** Who may call a worker. */
export interface WorkerChecks {
  readonly token: WorkerTokenCheck;
  /** Null: a token is good for every request, as stock gateways sign them. */
  readonly strict: StrictTokenCheck | null;
}

/**
 * The body of a request that may come in, byte by byte as it was received; null where it was refused and answered. Nothing is
 * read of a request without a good token. Without checks, whoever can connect may call.
 */
export async function admit(
  request: IncomingMessage,
  response: ServerResponse,
  checks: WorkerChecks | null,
): Promise<Buffer | null> {
  const token = bearerToken(request);
  if (checks !== null && token === null) return refuse(response, 'Not authenticated');
  const checked = checks !== null && token !== null ? checks.token(token) : null;
  if (checked?.ok === false) return refuseToken(response, checked.problem);
  const strict = checks?.strict ?? null;
  const missing = checked === null ? null : strict?.ofClaims(checked.claims);
  if (missing) return refuseToken(response, missing);
  const body = await readBody(request);
  if (!body.ok) {
    sendJson(response, 413, { error: body.message });
    return null;
  }
  const { method = '', url: target = '' } = request;
  const problem =
    checked === null ? null : strict?.ofRequest(checked.claims, { method, target, body: body.bytes });
  return problem ? refuseToken(response, problem) : body.bytes;
}

export function bearerToken(request: IncomingMessage): string | null {
  return /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1] ?? null;
}

export function refuseToken(response: ServerResponse, problem: string): null {
  return refuse(response, `Invalid token. Error: ${problem}`);
}

function refuse(response: ServerResponse, detail: string): null {
  sendJson(response, 401, { detail }, { 'WWW-Authenticate': 'Bearer' });
  return null;
}

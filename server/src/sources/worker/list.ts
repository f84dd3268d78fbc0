import type { SourceFailure } from '#domain';
import type { UpstreamResponse } from '#egress';
import { err, ok, type Result } from '#foundation';
import { arrayItems } from '../json-array.ts';

/** The entries of the answer to `GET /worker/tools`, or why it is no list of tools; `noArray` says why, where they turn out to be none. */
export function entriesOf(answer: UpstreamResponse, uri: string): Result<Iterable<unknown>, SourceFailure> {
  const { status } = answer;
  if (status === 401 || status === 403) return err(credentialRefused(status));
  if (status === 404) {
    return unusable(
      `there is no worker at ${withoutQuery(uri)} (HTTP 404 for /worker/tools): a worker serves it only when ARCADE_WORKER_SECRET is set there; otherwise correct the uri, or register an MCP server with mcp, not http`,
    );
  }
  if (status >= 300 && status < 400) {
    return unusable(`the worker answered with a redirect (HTTP ${status}); set the uri to where it leads`);
  }
  if (status !== 200)
    return unusable(
      `the worker answered HTTP ${status} to the request for its tools: its log should say why`,
    );
  return ok(arrayItems(answer.body));
}

/** Why an answer that is no array is none. */
export function noArray({ body }: UpstreamResponse): SourceFailure {
  const isJson = isJsonText(body.toString('utf8'));
  return {
    code: 'source.tool_list_invalid',
    message: isJson
      ? 'the answer to the request for tools is not a JSON array: is it an Arcade worker? An MCP server is registered with mcp, not http'
      : 'the answer to the request for tools is not JSON; is the uri that of the worker itself, without /worker?',
    step: 'tools_fetched',
  };
}

function isJsonText(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** The query may hold a key. */
function withoutQuery(uri: string): string {
  const { origin, pathname } = new URL(uri);
  return origin + pathname;
}

export function credentialRefused(status: number): SourceFailure {
  return {
    code: 'source.secret_refused',
    message: `the worker refused our token (HTTP ${status}): its secret (ARCADE_WORKER_SECRET) and the one registered here differ, or its clock is wrong`,
    step: 'authenticated',
  };
}

function unusable(message: string): Result<never, SourceFailure> {
  return err({ code: 'source.answer_invalid', message, step: 'tools_fetched' });
}

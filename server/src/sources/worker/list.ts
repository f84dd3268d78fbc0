import type { SourceFailure } from '#domain';
import type { Borrower, EgressFailure, UpstreamHead } from '#egress';
import type { Clock } from '#foundation';
import type { ReadList } from '../read-list.ts';
import { createToolIntake, type ToolIntake } from '../tool-intake.ts';
import { workerForm } from './listing.ts';

/** The answer to `GET /worker/tools`, read while it comes. */
export interface ListBody extends Borrower {
  readonly intake: ToolIntake;
  /** What it was refused for; `null`: nothing. */
  readonly refusal: EgressFailure | null;
  /** Why what came is no array. */
  noArray(): SourceFailure;
}

export interface BodyBounds {
  readonly maxBytes: number;
  /** How long it may stand still, and how long it may take. */
  readonly idleTimeoutMs: number;
  readonly timeoutMs: number;
  readonly clock: Clock;
}

/** As much is looked at to say what it is that is no list. */
const lookedAtBytes = 64 * 1024;

export function createListBody(known: ReadList | null, bounds: BodyBounds, abort: () => void): ListBody {
  const { maxBytes, idleTimeoutMs, timeoutMs, clock } = bounds;
  const intake = createToolIntake(workerForm, known);
  intake.begin(false);
  const endMs = clock.monotonic() + timeoutMs;
  const beginning: Buffer[] = [];
  let bytes = 0;
  let refusal: EgressFailure | null = null;

  function refuse(kind: 'too_large' | 'timeout', message: string): void {
    refusal ??= { kind, message, sent: true };
    abort();
  }

  return {
    intake,
    idleTimeoutMs,
    get refusal() {
      return refusal;
    },
    take(piece, giveBack) {
      if (bytes < lookedAtBytes) beginning.push(Buffer.from(piece.subarray(0, lookedAtBytes - bytes)));
      bytes += piece.length;
      if (bytes > maxBytes)
        refuse('too_large', `the answer is refused: its body is larger than the ${maxBytes} bytes allowed`);
      else if (clock.monotonic() > endMs) refuse('timeout', `its list did not end within ${timeoutMs} ms`);
      if (refusal === null) intake.write(piece, giveBack);
      else giveBack();
    },
    noArray() {
      const text = Buffer.concat(beginning).toString('utf8');
      const isJson = bytes > lookedAtBytes ? /^\s*\{/.test(text) : isJsonText(text);
      return {
        code: 'source.tool_list_invalid',
        message: isJson
          ? 'the answer to the request for tools is not a JSON array: is it an Arcade worker? An MCP server is registered with mcp, not http'
          : 'the answer to the request for tools is not JSON; is the uri that of the worker itself, without /worker?',
        step: 'tools_fetched',
      };
    },
  };
}

/** Why an answer is no list of tools, by its head; `null`: it may be one. */
export function refusedBy({ status }: UpstreamHead, uri: string): SourceFailure | null {
  if (status === 200) return null;
  if (status === 401 || status === 403) return credentialRefused(status);
  if (status === 404) {
    return unusable(
      `there is no worker at ${withoutQuery(uri)} (HTTP 404 for /worker/tools): a worker serves it only when ARCADE_WORKER_SECRET is set there; otherwise correct the uri, or register an MCP server with mcp, not http`,
    );
  }
  if (status >= 300 && status < 400) {
    return unusable(`the worker answered with a redirect (HTTP ${status}); set the uri to where it leads`);
  }
  return unusable(`the worker answered HTTP ${status} to the request for its tools: its log should say why`);
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

function unusable(message: string): SourceFailure {
  return { code: 'source.answer_invalid', message, step: 'tools_fetched' };
}

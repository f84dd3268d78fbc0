import { secretReferences, type TestWorkerRequest, type WorkerTestResponse } from '@sallyport/contracts';
import { type Principal, type Refusal, refusal } from '#domain';
import type { Sources } from '#sources';
import { statusResponse } from './response.ts';

const limits = { timeoutMs: 10_000, retry: 0 };

/** Walks the steps of a call at an address that is not registered. */
export async function testWorker(
  sources: Sources,
  projectId: string,
  { http, mcp }: TestWorkerRequest,
): Promise<WorkerTestResponse> {
  const status = await sources.test({
    id: 'test',
    projectId,
    enabled: true,
    kind: http === undefined ? 'mcp' : 'worker',
    uri: http?.uri ?? mcp?.uri ?? '',
    ...limits,
    secret: http?.secret ?? null,
    headers: mcp?.headers ?? {},
    secrets: {},
  });
  // Arcade's request has no secret: then nothing is wrong with a worker that asks for one.
  const asksForSecret =
    http !== undefined && http.secret === undefined && status.failedStep === 'authenticated';
  return {
    success: asksForSecret || status.state === 'healthy',
    message: asksForSecret ? 'The worker answers. Give its secret to test that too.' : status.message,
    ...(status.serverInfo === null ? {} : { serverInfo: { ...status.serverInfo } }),
    status: statusResponse(status, 0),
  };
}

/** A trial leaves no record, so only who sets secrets sends one anywhere by it. */
export function secretsRefused({ mcp }: TestWorkerRequest, { permissions }: Principal): Refusal | null {
  const named = Object.values(mcp?.headers ?? {}).flatMap(secretReferences);
  if (named.length === 0 || permissions.has('administer')) return null;
  return refusal(
    'identity.scope_missing',
    'only who may set secrets of the project sends them to an address that is tried out; register the server instead',
    { field: 'mcp.headers' },
  );
}

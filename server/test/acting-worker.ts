import { createHash } from 'node:crypto';
import { createServer, UpstreamError } from '@sallyport/server';
import { z } from 'zod';

export const actingSecret = 'the-secret-of-the-worker-that-acts-for-users';

export interface ActingTool {
  readonly name: string;
  /** Of the auth provider. */
  readonly provider: string;
  readonly scopes: readonly string[];
  /** Of the stand-in at which it acts. */
  readonly origin: string;
  /** One that it needs beside. */
  readonly secret?: string;
}

export interface ActingWorker {
  readonly uri: string;
  /** How many calls came. */
  readonly calls: number;
  stop(): Promise<void>;
}

/** The toolkit `Acting`: its tools say as whom they act at stand-in providers, and of a secret the SHA-256. */
export async function startActingWorker(tools: readonly ActingTool[]): Promise<ActingWorker> {
  const app = createServer({ name: 'Acting', version: '1.0.0' });
  let calls = 0;
  for (const { name, provider, scopes, origin, secret } of tools) {
    app.tool(
      {
        name,
        description: `Says who the user is at ${provider}`,
        output: z.object({ user: z.string(), secret: z.string().nullable() }),
        requires: {
          authorization: { id: provider, scopes: [...scopes] },
          ...(secret !== undefined && { secrets: [secret] }),
        },
      },
      async (_input, { authorization, secrets }) => {
        calls++;
        const answer = await fetch(`${origin}/stand-in/whoami`, {
          headers: { authorization: `Bearer ${authorization.token}` },
        });
        if (!answer.ok)
          throw new UpstreamError('the service refused the token', { statusCode: answer.status });
        const { user } = (await answer.json()) as { user: string };
        return { user, secret: secret === undefined ? null : sha256(secrets.get(secret)) };
      },
    );
  }
  // It takes whatever comes: tokens of a gateway whose clock is set forward are none of today.
  const { url, stop } = await app.listen({ port: 0, env: { SALLYPORT_AUTH_DISABLED: 'true' } });
  return {
    uri: url,
    get calls() {
      return calls;
    },
    stop,
  };
}

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

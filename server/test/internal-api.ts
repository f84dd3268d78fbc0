import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createRemoteJWKSet, jwtVerify } from 'jose';

/** An API of the company that believes tokens of the company's issuer which are for it, and says whose they are. */
export interface InternalApi {
  readonly origin: string;
  readonly audience: string;
  /** Tokens that came. */
  readonly seen: string[];
  close(): Promise<void>;
}

export async function startInternalApi(
  audience: string,
  { issuer, jwksUri, now }: { readonly issuer: string; readonly jwksUri: string; readonly now: () => number },
): Promise<InternalApi> {
  const keys = createRemoteJWKSet(new URL(jwksUri));
  const seen: string[] = [];
  const server = createServer(async (request, response) => {
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
    seen.push(token);
    try {
      const expected = { issuer, audience, currentDate: new Date(now()) };
      const { payload } = await jwtVerify(token, keys, expected);
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ user: payload.sub }));
    } catch {
      response.writeHead(401).end();
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    audience,
    seen,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

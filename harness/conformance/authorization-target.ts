import { createPerson, type Person } from './person.ts';

/** What the authorization scenarios must know of a gateway, and who signs in for them. */
export interface AuthorizationTarget {
  readonly args: readonly string[];
  readonly person: Person;
}

/** Registers the suite's client, as any client may, and invites somebody who signs in for it. */
export async function authorizationTarget(
  { origin, key }: { readonly origin: string; readonly key: string },
  slug: string,
  callbackPort: number,
): Promise<AuthorizationTarget> {
  const client = await post<{ client_id: string }>(`${origin}/oauth2/register`, {
    client_name: 'Conformance',
    redirect_uris: [`http://127.0.0.1:${callbackPort}/callback`],
    token_endpoint_auth_method: 'none',
  });
  const invited = await post<{ url: string }>(
    `${origin}/v1/invitations`,
    { email: 'conformance@example.com', role: 'member' },
    { Authorization: `Bearer ${key}` },
  );
  const resource = `${origin}/mcp/${slug}`;
  return {
    args: [
      '--url',
      origin,
      '--client-id',
      client.client_id,
      '--resource',
      resource,
      '--port',
      `${callbackPort}`,
    ],
    person: createPerson(invited.url),
  };
}

async function post<T>(url: string, body: object, headers: Record<string, string> = {}): Promise<T> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${url} answers ${answer.status}: ${await answer.text()}`);
  return (await answer.json()) as T;
}

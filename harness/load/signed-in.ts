interface Gateway {
  readonly origin: string;
  readonly key: string;
}

/** An access token with which a service account comes in to a gateway, got as its programs get one. */
export async function accessTokenFor({ origin, key }: Gateway, slug: string): Promise<string> {
  const account = await answerOf<{ id: string; client_secret: string }>(`${origin}/v1/service_accounts`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ name: 'the bench', with_secret: true }),
  });
  const { access_token: token } = await answerOf<{ access_token: string }>(`${origin}/oauth2/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: account.id,
      client_secret: account.client_secret,
      resource: `${origin}/mcp/${slug}`,
      scope: 'mcp',
    }),
  });
  return token;
}

async function answerOf<T>(url: string, request: RequestInit): Promise<T> {
  const answer = await fetch(url, request);
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}: ${await answer.text()}`);
  return (await answer.json()) as T;
}

/** Who a request says its client is. Nothing of it is believed: it tells whose attempts are counted, and whose keys to check with. */
export function claimedClientId(
  params: Readonly<Record<string, unknown>>,
  authorization: string | undefined,
): string {
  const { client_id: named, client_assertion: assertion } = params;
  if (typeof named === 'string') return named;
  if (typeof assertion === 'string') return String(unbelievedClaims(assertion).sub ?? '');
  const basic = /^basic ([A-Za-z0-9+/]+=*)$/i.exec(authorization ?? '')?.[1];
  if (basic === undefined) return '';
  const [id = ''] = Buffer.from(basic, 'base64').toString('utf8').split(':');
  try {
    return decodeURIComponent(id.replaceAll('+', '%20'));
  } catch {
    return id;
  }
}

/** The claims of a signed token that nobody checked yet. */
export function unbelievedClaims(token: string): Readonly<Record<string, unknown>> {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
    return typeof claims === 'object' && claims !== null ? { ...claims } : {};
  } catch {
    return {};
  }
}

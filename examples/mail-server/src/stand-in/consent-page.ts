/** Who is it, and do they allow it? */
export function consentPage(asked: URLSearchParams, addresses: readonly string[]): string {
  const fields = [...asked]
    .map(([name, value]) => `<input type="hidden" name="${escaped(name)}" value="${escaped(value)}">`)
    .join('');
  const scopes = (asked.get('scope') ?? '').split(' ').map((scope) => `<li>${escaped(scope)}</li>`);
  const buttons = addresses.map(
    (address) => `<button name="account" value="${escaped(address)}">Allow as ${escaped(address)}</button> `,
  );
  return `<h1>Stand-in for Google</h1>
<p><b>${escaped(asked.get('client_id') ?? '')}</b> wants to</p><ul>${scopes.join('')}</ul>
<form method="post" action="/authorize">${fields}${buttons.join('')}<button name="account" value="">Deny</button></form>`;
}

function escaped(text: string): string {
  const codes: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return text.replace(/[&<>"]/g, (character) => codes[character] as string);
}

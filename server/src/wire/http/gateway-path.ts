/**
 * The gateway that an address names: `/mcp/{slug}`. `null` for anything deeper, for what is not spelled plainly, and for
 * whatever no database could look up.
 */
export function gatewaySlugOf(url: string): string | null {
  if (!url.startsWith('/mcp/') || url.includes('%00')) return null;
  const query = url.indexOf('?');
  const end = query < 0 ? url.length : query;
  const slug = url.slice(5, url[end - 1] === '/' ? end - 1 : end);
  return /^[A-Za-z0-9._~-]{1,256}$/.test(slug) ? slug : null;
}

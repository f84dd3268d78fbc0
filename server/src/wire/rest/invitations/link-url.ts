/** Behind the `#`, the token reaches no server, log or `Referer`: the page there sends it on. */
export function linkUrl(issuer: string, token: string): string {
  return `${issuer}/oauth2/link#${token}`;
}

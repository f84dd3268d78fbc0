/** Where a browser may be sent after a consent: a page of the application that asked for it, which may be internal. */
export function isFit(url: string): boolean {
  const parsed = URL.parse(url);
  return parsed?.protocol === 'https:' || parsed?.protocol === 'http:';
}

/** An address as errors name it: what stands before an @ may be a password, and what stands behind a ? or # a token. */
export const shownUrl = (given: string): string =>
  given.replace(/^([a-z][a-z0-9+.-]*:\/\/)?.*@/is, '$1***@').replace(/([?#]).+$/s, '$1***');

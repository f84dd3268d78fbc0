import type { ErrorCode } from '@sallyport/contracts';

/** `WWW-Authenticate` of the API: tells clients where to learn how to sign in. */
export function challengeOf(issuer: string, code: ErrorCode): string {
  const metadata = `Bearer resource_metadata="${issuer}/.well-known/oauth-protected-resource/v1"`;
  return code === 'identity.missing' ? metadata : `${metadata}, error="invalid_token"`;
}

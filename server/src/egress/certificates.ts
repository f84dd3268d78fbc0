import { X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';
import { err, messageOf, ok, type Result } from '#foundation';
import type { EgressFailure, UpstreamTls } from './contract.ts';

/** Certificates as connections take them. */
export function certificatesOf({ ca, cert, key }: UpstreamTls): Result<SecureContext, EgressFailure> {
  try {
    // An authority that cannot be read would pass unseen, and then vouch for nobody.
    if (ca !== undefined) new X509Certificate(ca);
    return ok(
      createSecureContext({
        ...(ca === undefined ? {} : { ca }),
        ...(cert === undefined ? {} : { cert }),
        ...(key === undefined ? {} : { key }),
      }),
    );
  } catch (error) {
    const message = `the certificates cannot be used: ${tlsReasonOf(error)}`;
    return err({ kind: 'tls', message, sent: false });
  }
}

/** OpenSSL puts thread, source file and line around its reason. */
export function tlsReasonOf(error: unknown): string {
  const { reason } = error as { reason?: unknown };
  return typeof reason === 'string' ? reason : messageOf(error);
}

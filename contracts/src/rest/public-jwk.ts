import { z } from 'zod';

const privateParts = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k'];

/** A public key as a JWK; whether it can be read is looked at later. */
export const publicJwk = z
  .record(z.string(), z.unknown())
  .refine((key) => !privateParts.some((part) => Object.hasOwn(key, part)), 'must be a public key');

import { z } from 'zod';

export const httpUrl = z
  .string()
  .max(2048)
  .refine(isHttpUrl, 'must be an http:// or https:// URL without user name, password and fragment');

/** It is sent in a header. */
export const printableSecret = z
  .string()
  .max(8192)
  .regex(/^[\x21-\x7e]+$/, 'must be printable ASCII without spaces');

export function withIssues(context: z.RefinementCtx) {
  return (path: (string | number)[], message: string) => context.addIssue({ code: 'custom', path, message });
}

function isHttpUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password, hash } = new URL(text);
  return (protocol === 'http:' || protocol === 'https:') && username + password + hash === '';
}

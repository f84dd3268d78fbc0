/**
 * Credentials: what a call must carry to act as the user in another system. A credential exists only between two steps
 * of the pipeline; it is never written to a log, a record or an answer. There is no fallback: a tool that asks for what
 * we do not have is refused.
 */

export type { Credentials } from './contract.ts';
export { createCredentials } from './credentials.ts';

import { refusal } from '#domain';
import { isMembers, type Members } from '#foundation';
import type { Exchange } from '../exchange.ts';
import { type Refused, refused } from '../front.ts';
import { type ClientMessage, paramsInvalid } from '../rpc.ts';
import { headerMismatch } from './headers.ts';

export const modernVersion = '2026-07-28';
/** Of all that the protocol itself says in `_meta`. */
export const prefix = 'io.modelcontextprotocol';

/** Whether a message, or its headers, speak this generation. Every revision from this one on does. */
export function isModern(header: string | undefined, message: ClientMessage): boolean {
  if (header !== undefined && header >= modernVersion) return true;
  if (message.kind === 'response') return false;
  const meta = message.params._meta;
  return isMembers(meta) && meta[`${prefix}/protocolVersion`] !== undefined;
}

/** What is wrong with the version, the headers or `_meta` (SEP-2243, SEP-2575). */
export function envelopeFault(
  { request }: Exchange,
  message: Exclude<ClientMessage, { kind: 'response' }>,
): Refused | null {
  const header = request.headers['mcp-protocol-version'];
  const meta = (message.params._meta ?? {}) as Members;
  const version = meta[`${prefix}/protocolVersion`];
  if (message.kind === 'request' && typeof version !== 'string') {
    return refused(paramsInvalid(`params._meta["${prefix}/protocolVersion"]`, 'is missing'));
  }
  if (header === undefined) return refused(versionMismatch('is missing'));
  if (version !== undefined && header !== version)
    return refused(versionMismatch('is not the version of the body'));
  if (header !== modernVersion) {
    const unsupported = refusal(
      'request.version_unsupported',
      `the revision ${JSON.stringify(header)} is not one we speak`,
    );
    return refused(unsupported, { supported: [modernVersion], requested: header });
  }
  if (message.kind === 'request' && !isMembers(meta[`${prefix}/clientCapabilities`])) {
    return refused(paramsInvalid(`params._meta["${prefix}/clientCapabilities"]`, 'must be an object'));
  }
  // The revision defines no headers for notifications.
  if (message.kind === 'notification' && request.headers['mcp-method'] === undefined) return null;
  const mismatch = headerMismatch(request.headers, message.method, message.params);
  return mismatch === null ? null : refused(mismatch);
}

function versionMismatch(problem: string) {
  return refusal('request.header_mismatch', `the header MCP-Protocol-Version ${problem}`, {
    field: 'MCP-Protocol-Version',
  });
}

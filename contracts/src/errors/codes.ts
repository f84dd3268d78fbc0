/**
 * Every code a caller can be refused with. A code never changes its meaning; each has one page of documentation,
 * `docs/errors/<code>.md`.
 *
 * - `status`: the HTTP status on the REST API and on `/mcp` when the request as a whole is refused;
 * - `rpc`: the JSON-RPC error number on `/mcp`; `null` where a tool call answers with a tool result
 *   (`isError: true`) that the model can read and act upon;
 * - `retry`: whether sending the same request again can help.
 */
export const errorCodes = {
  'request.malformed': { status: 400, rpc: -32700, retry: false },
  'request.invalid': { status: 400, rpc: -32600, retry: false },
  'request.params_invalid': { status: 400, rpc: -32602, retry: false },
  'request.too_deep': { status: 400, rpc: -32600, retry: false },
  'request.too_large': { status: 413, rpc: -32600, retry: false },
  'request.media_type': { status: 415, rpc: -32600, retry: false },
  'request.not_acceptable': { status: 406, rpc: -32600, retry: false },
  'request.method_not_allowed': { status: 405, rpc: -32600, retry: false },
  'request.method_unknown': { status: 404, rpc: -32601, retry: false },
  'request.header_mismatch': { status: 400, rpc: -32020, retry: false },
  'request.version_unsupported': { status: 400, rpc: -32022, retry: false },
  'request.origin_refused': { status: 403, rpc: -32600, retry: false },
  'request.host_refused': { status: 403, rpc: -32600, retry: false },
  'request.repeated': { status: 409, rpc: -32600, retry: false },
  'identity.missing': { status: 401, rpc: -32600, retry: false },
  'identity.invalid': { status: 401, rpc: -32600, retry: false },
  'identity.expired': { status: 401, rpc: -32600, retry: false },
  'identity.user_missing': { status: 400, rpc: -32600, retry: false },
  'identity.user_refused': { status: 403, rpc: -32600, retry: false },
  'identity.scope_missing': { status: 403, rpc: -32600, retry: false },
  'gateway.unknown': { status: 404, rpc: -32600, retry: false },
  'gateway.inactive': { status: 404, rpc: -32600, retry: false },
  'gateway.auth_unavailable': { status: 401, rpc: -32600, retry: false },
  'session.unknown': { status: 404, rpc: -32600, retry: false },
  'session.limit': { status: 429, rpc: -32600, retry: true },
  'resource.unknown': { status: 404, rpc: -32602, retry: false },
  'resource.conflict': { status: 409, rpc: -32600, retry: false },
  'resource.read_only': { status: 403, rpc: -32600, retry: false },
  'catalog.tool_unknown': { status: 404, rpc: -32602, retry: false },
  'catalog.tool_unavailable': { status: 503, rpc: null, retry: true },
  'catalog.arguments_invalid': { status: 400, rpc: null, retry: false },
  'policy.not_granted': { status: 404, rpc: -32602, retry: false },
  'policy.input_blocked': { status: 403, rpc: null, retry: false },
  'policy.output_blocked': { status: 403, rpc: null, retry: false },
  'credentials.not_configured': { status: 403, rpc: null, retry: false },
  'credentials.consent_required': { status: 403, rpc: null, retry: true },
  'source.disabled': { status: 503, rpc: null, retry: false },
  'source.address_unresolved': { status: 502, rpc: null, retry: true },
  'source.address_refused': { status: 502, rpc: null, retry: false },
  'source.unreachable': { status: 502, rpc: null, retry: true },
  'source.secret_refused': { status: 502, rpc: null, retry: false },
  'source.timeout': { status: 504, rpc: null, retry: false },
  'source.interrupted': { status: 502, rpc: null, retry: false },
  'source.answer_invalid': { status: 502, rpc: null, retry: false },
  'source.answer_too_large': { status: 502, rpc: null, retry: false },
  'source.tool_failed': { status: 502, rpc: null, retry: false },
  'source.tool_list_invalid': { status: 502, rpc: null, retry: false },
  'source.cancelled': { status: 499, rpc: null, retry: false },
  'server.stopping': { status: 503, rpc: -32603, retry: true },
  'server.unavailable': { status: 503, rpc: -32603, retry: true },
  internal: { status: 500, rpc: -32603, retry: false },
} as const satisfies Record<string, { status: number; rpc: number | null; retry: boolean }>;

export type ErrorCode = keyof typeof errorCodes;

/**
 * What MCP and the protocol of workers themselves say around what a source answers. It is no secret, and an answer without it
 * could not be read, so rules leave it alone where it stands outside of what paths begin at.
 */
const names = new Set(
  `content structuredContent isError _meta type text data blob resource resource_link uri name title description mimeType size
  annotations audience priority lastModified icons contents messages role message description completion values total hasMore
  value error output logs code kind can_retry retry_after_ms additional_prompt_content developer_message stacktrace
  status_code extra requires_authorization artifact level subtype duration success invocation_id finished_at
  reason said progress progressToken logger params method mode url elicitationId requestedSchema properties required
  task taskId status statusMessage createdAt lastUpdatedAt ttl pollInterval arguments action`.split(/\s+/),
);
const values = new Set(
  `text image audio resource resource_link user assistant object string number integer boolean array null
  elicitation/create sampling/createMessage roots/list form url debug info notice warning error critical alert emergency
  working input_required completed failed cancelled accept decline cancel`.split(/\s+/),
);
const membersOfWords = new Set(['type', 'role', 'method', 'mode', 'level', 'status', 'action', 'kind']);

export function isProtocolName(name: string): boolean {
  return names.has(name);
}

/** Whether a member's value is a word that the protocol gives a meaning. */
export function isProtocolValue(name: string, value: string): boolean {
  return membersOfWords.has(name) && values.has(value);
}

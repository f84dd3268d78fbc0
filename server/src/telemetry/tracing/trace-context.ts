/** W3C Trace Context, read strictly: what is not well-formed is as if it had not been sent. */
export interface RemoteParent {
  readonly traceId: string;
  readonly spanId: string;
  readonly flags: number;
}

/** Version ff, ids of zeros alone and capitals are none. */
const traceparentForm =
  /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:-[\x20-\x7e]*)?$/;
const plainLength = 55;
/** Sampled, and random trace id: what later levels add means nothing yet. */
const knownFlags = 0x03;

export const sampledFlag = 0x01;

export function parentOf(traceparent: unknown): RemoteParent | null {
  if (typeof traceparent !== 'string' || traceparent.length > 512) return null;
  const parts = traceparentForm.exec(traceparent);
  if (parts === null) return null;
  const [, version, traceId, spanId, flags] = parts as unknown as readonly string[];
  if (version === '00' && traceparent.length !== plainLength) return null;
  return {
    traceId: traceId as string,
    spanId: spanId as string,
    flags: Number.parseInt(flags as string, 16) & knownFlags,
  };
}

/** Whether it says where in a trace something was sent. */
export function isTraceparent(value: unknown): boolean {
  return parentOf(value) !== null;
}

export function formatTraceparent({ traceId, spanId, flags }: RemoteParent): string {
  return `00-${traceId}-${spanId}-0${flags}`;
}

const maxMembers = 32;
const maxLength = 512;
const longMember = 128;
const memberForm =
  /^(?:[a-z0-9][a-z0-9_\-*/]{0,255}|[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13})=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;

/** What other tracing systems said, fit to be passed on: at most 512 characters, the longest members and the oldest left out first. */
export function tracestateOf(tracestate: unknown): string | null {
  if (typeof tracestate !== 'string' || tracestate.length > 16 * 1024) return null;
  const members = tracestate
    .split(',')
    .map((member) => member.replace(/^[ \t]+|[ \t]+$/g, ''))
    .filter((member) => member !== '');
  if (members.length === 0 || members.length > maxMembers) return null;
  if (!members.every((member) => memberForm.test(member))) return null;
  const lengthOf = (kept: readonly string[]) => kept.reduce((sum, { length }) => sum + length + 1, -1);
  let kept = members;
  if (lengthOf(kept) > maxLength) kept = kept.filter(({ length }) => length <= longMember);
  while (lengthOf(kept) > maxLength) kept = kept.slice(0, -1);
  return kept.length === 0 ? null : kept.join(',');
}

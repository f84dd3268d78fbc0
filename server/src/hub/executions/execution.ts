import type { ExecutionMode, ExecutionResponse, ExecutionStatus } from '@sallyport/contracts';
import type { Caller, InputRequest } from '#domain';
import type { Members } from '#foundation';
import type { Pipeline } from '#pipeline';

/** By ids only. */
type RememberedCaller = ReturnType<Pipeline['remember']>;

/** One execution as its row says, but for what is sealed. */
export interface Execution {
  /** `te_…`; audit records of its attempts say the same. */
  readonly id: string;
  readonly projectId: string;
  /** Names who began it, and where. */
  readonly owner: string;
  /** `null`: outside any gateway. */
  readonly gatewayId: string | null;
  readonly keyHash: string | null;
  readonly requestHash: string;
  readonly toolId: string;
  /** As answers name the tool. */
  readonly ref: string;
  readonly mode: ExecutionMode;
  readonly status: ExecutionStatus;
  readonly waitingFor: 'input' | 'consent' | 'approval' | null;
  readonly attempt: number;
  readonly repeatable: boolean;
  readonly cancelled: boolean;
  readonly createdAt: string;
  readonly endedAt: string | null;
  readonly expiresAt: string;
}

/** What is to be called, and for whom. */
export interface Wanted {
  readonly caller: RememberedCaller;
  /** As rules know it. */
  readonly name: string;
  readonly version: string | null;
  /** `null`: they are not needed again, or are more than is kept. */
  readonly args: Members | null;
  /** What its caller searched for before, where that led here. */
  readonly query: string | null;
}

/** What answers say beside the facts of the row. */
export type Said = Pick<
  ExecutionResponse,
  | 'questions'
  | 'authorization_url'
  | 'authorization_urls'
  | 'approval_id'
  | 'output'
  | 'content'
  | 'error'
  | 'advice'
>;

/** What is kept of how it is: what is said, and what it takes to go on. */
export interface Kept {
  readonly said: Said;
  /** Of one that waits for input. */
  readonly asked?: {
    readonly requests: { readonly [key: string]: InputRequest };
    readonly state: string | null;
  };
  /** Ids of the consents that one waits for. */
  readonly consents?: readonly string[];
  /** A larger result than is kept: it was given once, to whoever waited for it. */
  readonly isTooLarge?: true;
  /** The state of policy when it was called: what it gave was screened by that, or by a later one. */
  readonly policy?: string;
  /** The version of the tool that was called, where it has any. */
  readonly version?: string;
}

/** An execution, and what is said of it. */
export interface View {
  readonly execution: Execution;
  readonly kept: Kept;
}

/** Who asks for it: others never hear of it. One that another program of the same user began is not theirs either. */
export function ownerText(
  { principal, userId, personId, clientId }: Caller,
  gatewayId: string | null,
): string {
  const { projectId, id } = principal;
  return JSON.stringify([projectId, id, userId, personId ?? null, clientId ?? null, gatewayId]);
}

export const isOver = ({ endedAt }: Execution): boolean => endedAt !== null;

export function responseOf({ execution, kept }: View): ExecutionResponse {
  const { id, status, ref, mode, waitingFor, createdAt, endedAt, expiresAt } = execution;
  return {
    execution_id: id,
    status,
    tool: ref,
    mode,
    ...(waitingFor === null ? {} : { waiting_for: waitingFor }),
    ...kept.said,
    created_at: createdAt,
    ...(endedAt === null ? {} : { finished_at: endedAt }),
    expires_at: expiresAt,
  };
}

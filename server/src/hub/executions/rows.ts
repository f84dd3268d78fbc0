import type { ExecutionMode, ExecutionStatus } from '@sallyport/contracts';
import type { Row } from '#storage';
import { opened, type Vault } from '#vault';
import type { Execution, Kept, View, Wanted } from './execution.ts';

export const table = 'hub_executions';
const requestPurpose = 'execution request';
const answerPurpose = 'execution answer';

export interface ExecutionRow extends Row {
  id: string;
  project_id: string;
  owner: string;
  gateway_id: string | null;
  key_hash: string | null;
  request_hash: string;
  tool_id: string;
  ref: string;
  mode: ExecutionMode;
  status: ExecutionStatus;
  waiting_for: Execution['waitingFor'];
  attempt: number;
  repeatable: boolean;
  cancelled: boolean;
  answer: string;
  created_at: string;
  ended_at: string | null;
  expires_at: string;
}

/** All that is not sealed. */
export const shownColumns = [
  ...[
    'id',
    'project_id',
    'owner',
    'gateway_id',
    'key_hash',
    'request_hash',
    'tool_id',
    'ref',
    'mode',
    'status',
  ],
  ...['waiting_for', 'attempt', 'repeatable', 'cancelled', 'created_at', 'ended_at', 'expires_at'],
].join(', ');

export function executionOf(row: ExecutionRow): Execution {
  return {
    id: row.id,
    projectId: row.project_id,
    owner: row.owner,
    gatewayId: row.gateway_id,
    keyHash: row.key_hash,
    requestHash: row.request_hash,
    toolId: row.tool_id,
    ref: row.ref,
    mode: row.mode,
    status: row.status,
    waitingFor: row.waiting_for,
    attempt: row.attempt,
    repeatable: row.repeatable,
    cancelled: row.cancelled,
    createdAt: row.created_at,
    endedAt: row.ended_at,
    expiresAt: row.expires_at,
  };
}

/** What is called, and what came of it, sealed for their row. */
export function createSeals(vault: Vault) {
  vault.keeps({ table, column: 'request' });
  vault.keeps({ table, column: 'answer' });

  return {
    request: (id: string, wanted: Wanted): string => vault.seal(requestPurpose, wanted, id),
    answer: (id: string, kept: Kept): string => vault.seal(answerPurpose, kept, id),

    async viewOf(row: ExecutionRow): Promise<View> {
      const execution = executionOf(row);
      const { id, answer: sealed } = row;
      if (sealed === '') return { execution, kept: { said: {} } };
      const of = { purpose: answerPurpose, sealed, boundTo: id };
      return { execution, kept: await opened<Kept>(vault, of, `the answer of the execution ${id}`) };
    },

    async wantedOf(id: string, sealed: string): Promise<Wanted> {
      const of = { purpose: requestPurpose, sealed, boundTo: id };
      return opened<Wanted>(vault, of, `the request of the execution ${id}`);
    },
  };
}

export type Seals = ReturnType<typeof createSeals>;

import { createHash } from 'node:crypto';
import { randomHex } from '#foundation';
import type { RpcId } from '../rpc.ts';
import type { Session } from './session.ts';

const randomBytes = 12;
const randomLength = 2 * randomBytes;

/**
 * Any process knows it again without having asked, and clients, whom the id of their session is never told, make none: so other
 * processes hear of no answer to what nobody asked.
 */
export function newQuestionId(session: Pick<Session, 'id'>): string {
  const random = randomHex(randomBytes);
  return random + markOf(session, random);
}

export function isQuestionOf(session: Pick<Session, 'id'>, id: RpcId): boolean {
  if (typeof id !== 'string') return false;
  const random = id.slice(0, randomLength);
  return id.slice(randomLength) === markOf(session, random);
}

const markOf = ({ id }: Pick<Session, 'id'>, random: string): string =>
  createHash('sha256').update(`${id} ${random}`).digest('hex').slice(0, randomLength);

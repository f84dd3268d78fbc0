import { isDeeperThan } from '#foundation';

/** What a tool answers is told where it is nested no deeper: no recursion takes any depth. */
export const maxAnswerDepth = 500;

/** `bytes`: of its JSON, in which each level takes two. */
export function isTooDeep(answer: unknown, bytes: number): boolean {
  return bytes > 2 * maxAnswerDepth && isDeeperThan(answer, maxAnswerDepth);
}

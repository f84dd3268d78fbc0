import type { Authority, Target } from './authority.ts';

/** One authority for both kinds of target. */
export function authorityOfBoth(kinds: Readonly<Record<Target['kind'], Authority>>): Authority {
  const of = ({ kind }: Target): Authority => kinds[kind];
  return {
    prepare: (target, ...rest) => of(target).prepare(target, ...rest),
    boundTo: (target) => of(target).boundTo(target),
    authorize: (target, ...rest) => of(target).authorize(target, ...rest),
    isAnswerOf: (target, ...rest) => of(target).isAnswerOf(target, ...rest),
    explain: (target, ...rest) => of(target).explain(target, ...rest),
    exchange: (target, ...rest) => of(target).exchange(target, ...rest),
    enter: (target, ...rest) => of(target).enter(target, ...rest),
    renew: (target, ...rest) => of(target).renew(target, ...rest),
    revoke: (target, ...rest) => of(target).revoke(target, ...rest),
    headerOf: (target, ...rest) => of(target).headerOf(target, ...rest),
  };
}

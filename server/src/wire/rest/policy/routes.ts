import {
  entriesQuery,
  type GrantRequest,
  grantRequest,
  grantsQuery,
  limitRequest,
  ruleRequest,
  updateGrantRequest,
  updateLimitRequest,
  updateRuleRequest,
} from '@sallyport/contracts';
import { type Refusal, refusal } from '#domain';
import type { RestDeps, Route } from '../route.ts';
import { entryRoutes } from './entry-routes.ts';

/** Grants, rules and limits. */
export function policyRoutes(deps: RestDeps): readonly Route[] {
  const { policy, clock } = deps;
  return [
    ...entryRoutes(
      {
        name: 'grants',
        one: 'grant',
        entries: policy.grants,
        request: grantRequest,
        update: updateGrantRequest,
        query: grantsQuery,
        isAskedFor: ({ subject }, { user_id, group }) =>
          (user_id === undefined || ('user' in subject && subject.user === user_id)) &&
          (group === undefined || ('group' in subject && subject.group === group)),
        check: (grant, before) => expired(grant, before, clock.now()),
      },
      deps,
    ),
    ...entryRoutes(
      {
        name: 'rules',
        one: 'rule',
        entries: policy.rules,
        request: ruleRequest,
        update: updateRuleRequest,
        query: entriesQuery,
        check: policy.checkRule,
      },
      deps,
    ),
    ...entryRoutes(
      {
        name: 'limits',
        one: 'limit',
        entries: policy.limits,
        request: limitRequest,
        update: updateLimitRequest,
        query: entriesQuery,
      },
      deps,
    ),
  ];
}

/** A grant that never acts is a mistake; one whose time is over may still be described. */
function expired(
  { expires_at: expiresAt }: GrantRequest,
  before: GrantRequest | null,
  nowMs: number,
): Refusal | null {
  if (expiresAt == null || expiresAt === before?.expires_at || Date.parse(expiresAt) > nowMs) return null;
  return refusal('request.params_invalid', 'expires_at: lies in the past', { field: 'expires_at' });
}

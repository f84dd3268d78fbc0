import type { SubjectSelector, UserClaimPreviewResponse } from '@sallyport/contracts';
import { type Refusal, refusal } from '#domain';
import type { ClaimPreview, UserSource } from '#identity';
import type { RestDeps } from '../route.ts';

const maxShown = 100;

/** What another user claim would do: to people, and to what names them. */
export async function previewResponse(
  deps: RestDeps,
  source: UserSource,
  userClaim: string,
): Promise<UserClaimPreviewResponse> {
  const preview = await deps.identity.userSources.preview(source, userClaim);
  const { changed, without, collisions } = preview;
  return {
    user_claim: userClaim,
    current_user_claim: source.userClaim,
    people_count: preview.seen,
    unchanged_count: preview.unchanged,
    changed_count: changed.length,
    changed: changed
      .slice(0, maxShown)
      .map(({ personId, was, willBe }) => ({ person_id: personId, user_id: was, new_user_id: willBe })),
    without_count: without.length,
    without: without.slice(0, maxShown).map(({ personId, was }) => ({ person_id: personId, user_id: was })),
    collisions_count: collisions.length,
    collisions: collisions
      .slice(0, maxShown)
      .map(({ userId, personIds }) => ({ user_id: userId, person_ids: [...personIds] })),
    named_by: await namedBy(deps, source, preview),
    token: preview.token,
  };
}

/** Refused until it was seen what it does: to say so takes the token of the preview. */
export async function unconfirmedChange(
  deps: RestDeps,
  source: UserSource,
  userClaim: string,
  confirmed: string | undefined,
): Promise<Refusal | null> {
  if (userClaim === source.userClaim) return null;
  const preview = await previewResponse(deps, source, userClaim);
  const { changed_count: changed, without_count: without, collisions_count: collisions } = preview;
  if (changed + without + collisions === 0 || confirmed === preview.token) return null;
  const outcome = [
    `${changed} would be another user`,
    `${without} could not sign in any more`,
    `${collisions} user ids would stand for several people`,
  ].join(', ');
  return refusal(
    'resource.conflict',
    `user_claim: of ${preview.people_count} people who signed in here, ${outcome}; look at details.preview, and send its token as confirm_user_claim_change to do it`,
    { field: 'user_claim', details: { preview } },
  );
}

async function namedBy(
  deps: RestDeps,
  { projectId }: UserSource,
  { changed, without }: ClaimPreview,
): Promise<UserClaimPreviewResponse['named_by']> {
  const { grants, rules, limits, approvals } = deps.policy;
  const old = new Set([...changed, ...without].map(({ was }) => was));
  const names = (subjects: readonly SubjectSelector[] | undefined) =>
    (subjects ?? []).some((subject) => 'user' in subject && old.has(subject.user));
  const count = <Item>(items: readonly Item[], isMeant: (item: Item) => boolean) =>
    items.filter(isMeant).length;
  const waiting = await approvals.list(projectId, { status: 'pending', limit: 1000, offset: 0 });
  return {
    grants: count(grants.list(projectId), ({ definition }) => names([definition.subject])),
    rules: count(
      rules.list(projectId),
      ({ definition }) => names(definition.subjects) || names(definition.approvers),
    ),
    limits: count(limits.list(projectId), ({ definition }) => names(definition.subjects)),
    api_keys: count(
      deps.identity.listKeys(projectId),
      ({ users }) => users?.some((user) => old.has(user)) ?? false,
    ),
    approvals: count(waiting.items, ({ userId }) => userId !== null && old.has(userId)),
    connections: await deps.credentials.connections.countOf(projectId, [...old]),
  };
}

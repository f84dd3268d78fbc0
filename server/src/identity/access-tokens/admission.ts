import { type Gateway, type Refusal, type Role, refusal } from '#domain';
import { err, ok, type Result } from '#foundation';
import type { People, Standing } from '../people/contract.ts';
import type { SignIn } from '../sign-ins/contract.ts';
import type { UserSource, UserSources } from '../user-sources/contract.ts';
import { userIdOf } from '../user-sources/said-of-user.ts';
import { tokenInvalid } from './verify-token.ts';

/** A signed-in person at one gateway. */
export interface Admitted {
  readonly userId: string;
  /** `null`: they come in as one of the issuer's people, whatever they are here. */
  readonly role: Role | null;
  /** What it rests on: as long as these are the same objects, it is still true. */
  readonly standing: Standing;
  readonly source: UserSource | null;
}

export interface AdmissionDeps {
  readonly people: Pick<People, 'standing' | 'project' | 'projects'>;
  readonly userSources: Pick<UserSources, 'get'>;
}

const deactivated = refusal('identity.deactivated', 'your account here is not active any more', {
  field: 'Authorization',
});

/** By which source, and as what kind of person, somebody may come in where. Of memory. */
export function createAdmission({ people, userSources }: AdmissionDeps) {
  const sourceOf = ({ projectId, sourceId }: SignIn) =>
    sourceId === '' ? null : userSources.get(projectId, sourceId);

  function activeStanding(personId: string): Result<Standing, Refusal> {
    const standing = people.standing(personId);
    if (standing === null) return err(tokenInvalid('there is no such person'));
    return standing.active ? ok(standing) : err(deactivated);
  }

  /** Who they are, as long as what they signed in by still vouches for them. */
  function standingOf(signIn: SignIn): Result<Standing, Refusal> {
    const standing = activeStanding(signIn.personId);
    if (!standing.ok || signIn.sourceId === '') return standing;
    const source = sourceOf(signIn);
    if (source?.status !== 'active' || source.issuer !== signIn.issuer) {
      return err(tokenInvalid(`its user source ${signIn.sourceId} is not active any more`));
    }
    const named = userIdOf(source, signIn.claims);
    return named.ok && named.value === signIn.userId
      ? standing
      : err(tokenInvalid(`its user source ${signIn.sourceId} names people by another claim since`));
  }

  /** By `arcade`: people with a role in the project; the user is named by the e-mail address. */
  function asMember(
    standing: Standing,
    { projectId }: Gateway,
  ): Result<Pick<Admitted, 'userId' | 'role'>, Refusal> {
    const role = standing.roleIn(projectId);
    if (role === null || people.project(projectId)?.organizationId !== standing.organizationId) {
      return err(tokenInvalid(`${standing.personId} has no role in the project ${projectId}`));
    }
    if (standing.email === '') {
      return err(
        tokenInvalid(
          `${standing.personId} has no e-mail address here: the issuer vouches for none, or another person has it`,
        ),
      );
    }
    return ok({ userId: standing.email, role });
  }

  return {
    toGateway(signIn: SignIn, gateway: Gateway): Result<Admitted, Refusal> {
      const standing = standingOf(signIn);
      if (!standing.ok) return standing;
      const rests = { standing: standing.value, source: sourceOf(signIn) };
      const { sourceId, userId } = signIn;
      const isByLink = sourceId === '';
      if (signIn.projectId !== '' && signIn.projectId !== gateway.projectId) {
        return err(tokenInvalid('it comes of a sign-in at another project'));
      }
      const { authTypes, userSourceIds } = gateway;
      if (!isByLink && authTypes.includes('user_source') && userSourceIds.includes(sourceId)) {
        return ok({ ...rests, userId, role: null });
      }
      if (!authTypes.includes('arcade')) {
        const by = isByLink ? 'a link' : `the user source ${sourceId}`;
        return err(tokenInvalid(`gateway ${gateway.slug} takes no sign-in by ${by}`));
      }
      const member = asMember(standing.value, gateway);
      return member.ok ? ok({ ...rests, ...member.value }) : member;
    },

    /** On the API. By the sources and links of its project, and the sources of the organisation's first one and its own links. */
    toProject(signIn: SignIn, projectId: string): Result<{ standing: Standing; role: Role }, Refusal> {
      const standing = standingOf(signIn);
      if (!standing.ok) return standing;
      const { organizationId, personId } = standing.value;
      const role = standing.value.roleIn(projectId);
      if (role === null || people.project(projectId)?.organizationId !== organizationId) {
        return err(noSuchProject(`${personId} has no role in the project ${projectId}`));
      }
      const isByLink = signIn.sourceId === '';
      const all = isByLink ? '' : people.projects(organizationId)[0]?.id;
      const speaksForAll = signIn.projectId === all;
      if (!speaksForAll && signIn.projectId !== projectId) {
        return err(noSuchProject('the sign-in is one at another project'));
      }
      // Who administers a project says who signs in by its sources and links: as an owner, they could own the organisation.
      return ok({ standing: standing.value, role: role === 'owner' && !speaksForAll ? 'admin' : role });
    },

    activeStanding,
    standingOf,
    sourceOf,
  };
}

export type Admission = ReturnType<typeof createAdmission>;

/** Where somebody has no role, nothing tells them that there is anything. */
export function noSuchProject(reason: string): Refusal {
  return refusal('resource.unknown', 'there is no such project', { reason });
}

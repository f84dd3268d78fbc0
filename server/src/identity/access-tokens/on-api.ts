import type { Principal, Refusal } from '#domain';
import { err, ok, type Result } from '#foundation';
import type { People, Standing } from '../people/contract.ts';
import type { ServiceAccounts } from '../service-accounts/contract.ts';
import type { SignIn } from '../sign-ins/contract.ts';
import { type Admission, noSuchProject } from './admission.ts';
import type { Place } from './contract.ts';
import type { KnownToken } from './memory.ts';
import { accountPrincipal, personPrincipal } from './principals.ts';
import { otherPlace, tokenInvalid } from './verify-token.ts';

export interface ApiAnswersDeps {
  readonly issuer: () => string;
  readonly people: Pick<People, 'project' | 'projects'>;
  readonly serviceAccounts: Pick<ServiceAccounts, 'get'>;
}

/** What a checked token is on the API. Of memory. */
export function createApiAnswers({ issuer, people, serviceAccounts }: ApiAnswersDeps, admission: Admission) {
  function personAt(signIn: SignIn, place: Place, known: KnownToken): Result<Principal, Refusal> {
    const standing = admission.standingOf(signIn);
    if (!standing.ok) return standing;
    const { organizationId, email } = standing.value;
    if (place.organizationId !== null && place.organizationId !== organizationId) {
      return err(noSuchProject('the person belongs to another organisation'));
    }
    const projectId = place.projectId ?? firstProject(signIn, standing.value);
    const found = admission.toProject(signIn, projectId);
    // Who has no role anywhere is somebody all the same.
    if (!found.ok && place.projectId !== null) return found;
    const role = found.ok ? found.value.role : null;
    return ok(personPrincipal(standing.value, { projectId, userId: email, role }, known));
  }

  function firstProject(signIn: SignIn, { organizationId }: Standing): string {
    const projects = people.projects(organizationId);
    return (projects.find(({ id }) => admission.toProject(signIn, id).ok) ?? projects[0])?.id ?? '';
  }

  function accountAt(known: KnownToken, place: Place): Result<Principal, Refusal> {
    const account = serviceAccounts.get(known.token.principalId);
    if (account === null || !account.active) {
      return err(tokenInvalid('there is no such service account, or it is not active'));
    }
    const { projectId } = account;
    const isHere =
      (place.projectId ?? projectId) === projectId &&
      (place.organizationId === null || place.organizationId === people.project(projectId)?.organizationId);
    return isHere
      ? ok(accountPrincipal(account, account.role, known))
      : err(noSuchProject('the service account belongs to another project'));
  }

  return (known: KnownToken, place: Place): Result<Principal, Refusal> => {
    const { token, signIn } = known;
    if (token.audience !== `${issuer()}/v1` || token.gatewayId !== null) return otherPlace;
    return signIn === null ? accountAt(known, place) : personAt(signIn, place, known);
  };
}

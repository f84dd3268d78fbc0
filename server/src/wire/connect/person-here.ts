import type { IncomingMessage } from 'node:http';
import type { SignIn, Standing } from '#identity';
import { signInCookie } from '../sign-in/cookies.ts';
import type { PageDeps } from './page-deps.ts';

/** Who is signed in at the browser. */
export interface PersonHere {
  /** `usr_…` */
  readonly id: string;
  readonly signInId: string;
  readonly organizationId: string;
  /** What people call themselves. */
  readonly name: string;
  /** As what they are known in a project, best first. */
  userIdsIn(projectId: string): readonly string[];
  isUser(projectId: string, userId: string): boolean;
}

type People = PageDeps['identity']['people'];

export async function personHere(
  request: IncomingMessage,
  { cookies, identity }: Pick<PageDeps, 'cookies' | 'identity'>,
): Promise<PersonHere | null> {
  const cookie = cookies.read(request, signInCookie);
  const signIn = cookie === null || cookie === '' ? null : await identity.signIns.ofBrowser(cookie);
  const standing = signIn === null ? null : identity.people.standing(signIn.personId);
  return signIn === null || standing === null || !standing.active
    ? null
    : personOf(signIn, standing, identity.people);
}

/**
 * Whoever administers a project chooses who vouches for people there. So what a source calls somebody is their user id in its own
 * project alone; their e-mail address is theirs in projects that gave them a role, in that of the source by which they signed in, and
 * everywhere where that is the organisation's first project, or a link of the whole organisation.
 */
export function personOf(
  signIn: Pick<SignIn, 'id' | 'personId' | 'projectId' | 'sourceId' | 'userId'>,
  standing: Pick<Standing, 'organizationId' | 'email' | 'name' | 'roleIn'>,
  people: Pick<People, 'project' | 'projects'>,
): PersonHere {
  const { organizationId, email } = standing;

  function userIdsIn(projectId: string): readonly string[] {
    if (people.project(projectId)?.organizationId !== organizationId) return [];
    const isOfSource = signIn.sourceId !== '' && signIn.projectId === projectId;
    const said = isOfSource ? [signIn.userId] : [];
    const isKnown =
      signIn.projectId === projectId ||
      signIn.projectId === '' ||
      signIn.projectId === people.projects(organizationId)[0]?.id ||
      standing.roleIn(projectId) !== null;
    const address = isKnown && email !== '' ? [email] : [];
    return [...new Set([...address, ...said])];
  }

  return {
    id: signIn.personId,
    signInId: signIn.id,
    organizationId,
    name: email || standing.name || signIn.userId,
    userIdsIn,
    isUser: (projectId, userId) =>
      userId !== '' && userIdsIn(projectId).some((own) => folded(own) === folded(userId)),
  };
}

/** An address is the same in whatever case; an id of an issuer is not. */
function folded(userId: string): string {
  return userId.includes('@') ? userId.toLowerCase() : userId;
}

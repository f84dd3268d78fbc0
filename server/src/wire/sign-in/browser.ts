import type { IncomingMessage } from 'node:http';
import type { People, SignIn } from '#identity';
import { signInCookie } from './cookies.ts';
import type { PageDeps } from './front.ts';

/** Who this browser is signed in as. */
export async function browserSignIn(
  request: IncomingMessage,
  { cookies, identity }: PageDeps,
): Promise<SignIn | null> {
  const cookie = cookies.read(request, signInCookie);
  return cookie === null || cookie === '' ? null : await identity.signIns.ofBrowser(cookie);
}

/** What people call themselves: the e-mail address, else the name, else the user id. */
export function nameOf(signIn: SignIn, people: People): string {
  const standing = people.standing(signIn.personId);
  return standing?.email || standing?.name || signIn.userId;
}

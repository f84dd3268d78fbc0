import type { IncomingMessage, ServerResponse } from 'node:http';
import type { IssuerTokens, Person, SignedInPerson } from '#identity';
import { plainText } from '../pages/plain-text.ts';
import { signInCookie } from './cookies.ts';
import type { PageDeps } from './front.ts';

/** Signs the browser in, by a new cookie: one that somebody put there before is worth nothing. */
export async function finishSignIn(
  request: IncomingMessage,
  response: ServerResponse,
  who: {
    readonly person: Person;
    readonly said: SignedInPerson;
    readonly by: string;
    readonly gateway: string | null;
    /** That the issuer gave. */
    readonly tokens?: IssuerTokens;
  },
  { identity, cookies, audit }: PageDeps,
): Promise<void> {
  const { person, said, by, gateway, tokens } = who;
  const userAgent = plainText(request.headers['user-agent'] ?? '', 256);
  const { cookie, signIn } = await identity.signIns.start(
    person.id,
    said,
    userAgent,
    tokens === undefined ? {} : { tokens },
  );
  await audit.record({
    kind: 'sign_in',
    decision: 'allowed',
    projectId: said.projectId || 'default',
    userId: said.userId,
    principal: person.id,
    gateway,
    reason: `signed in ${by}: ${signIn.id}`,
  });
  cookies.set(response, signInCookie, cookie);
}

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ConnectProblem } from '#credentials';
import { accountDonePage } from '../pages/account-done-page.ts';
import { type AccountProblemKind, accountProblem } from '../pages/account-problem-page.ts';
import { linkForm, linkInstead } from '../pages/link-page.ts';
import { sendPage } from '../pages/page.ts';
import { signInForAccountPage } from '../pages/sign-in-for-account-page.ts';
import type { PageDeps } from './page-deps.ts';
import type { PersonHere } from './person-here.ts';

/** What a page knows of the request that it answers. */
export interface At {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly query: URLSearchParams;
  readonly person: PersonHere | null;
}

export function redirect({ response }: Pick<At, 'response'>, location: string): void {
  const headers = { location, 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' };
  response.writeHead(303, headers).end();
}

export async function tell({ response }: Pick<At, 'response'>, kind: AccountProblemKind): Promise<void> {
  const { status, page } = accountProblem({ kind, reference: null });
  await sendPage(response, status, page);
}

/** A consent that this browser cannot go on with. `backTo`: where it comes back to once the right person is signed in. */
export async function showProblem(
  at: At,
  problem: ConnectProblem,
  backTo: string | null,
  deps: PageDeps,
): Promise<void> {
  const { kind, reference, words: reason, advice, projectId } = problem;
  if (kind === 'completed') {
    return await sendPage(at.response, 200, accountDonePage({ label: 'It', isSignedIn: at.person !== null }));
  }
  if (backTo !== null && (kind === 'sign_in' || kind === 'other_person')) {
    return await askToSignIn(
      at,
      { what: 'link', backTo, projectId: projectId ?? 'default', reference },
      deps,
    );
  }
  const told = kind === 'refused' ? 'failed' : kind === 'sign_in' ? 'other_person' : kind;
  const { status, page } = accountProblem({
    kind: told,
    reason,
    reference,
    ...(advice === undefined ? {} : { advice }),
    ...(told === 'failed' && at.person !== null ? { retry: ownConnections } : {}),
  });
  await sendPage(at.response, status, page);
}

export const ownConnections = { url: '/connect', text: 'Your connections' };

/** By whatever the project's people sign in with; as somebody else, where the wrong one is signed in. */
export async function askToSignIn(
  { request, response, person }: At,
  to: {
    readonly what: 'link' | 'own';
    readonly backTo: string;
    readonly projectId: string;
    readonly reference: string | null;
  },
  { identity, onward, forms }: PageDeps,
): Promise<void> {
  const { what, backTo: goOnAt, projectId, reference } = to;
  const way = onward.seal({ goOnAt, asSomebodyElse: person !== null, into: { kind: 'own' } });
  const sources = identity.userSources.list(projectId).filter(({ status }) => status === 'active');
  const choices = sources.map(({ id, name }) => ({
    name: name || id,
    url: `/oauth2/sign_in/${encodeURIComponent(projectId)}/${encodeURIComponent(id)}?to=${way}`,
  }));
  const link =
    choices.length > 0
      ? null
      : linkInstead(linkForm({ formToken: forms.token(request, response, 'link'), to: way }));
  const signedInAs = person === null ? null : person.name;
  const page = signInForAccountPage({ what, signedInAs, choices, link, reference });
  await sendPage(response, what === 'own' ? 200 : 403, page);
}

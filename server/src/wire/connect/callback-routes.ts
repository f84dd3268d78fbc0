import type { Target } from '#credentials';
import { accountDonePage, accountPendingPage, accountVerifyingPage } from '../pages/account-done-page.ts';
import { accountProblem } from '../pages/account-problem-page.ts';
import { sendPage } from '../pages/page.ts';
import { isAhead, verifierOf } from './at-browser.ts';
import { isFit } from './onward-url.ts';
import type { PageDeps } from './page-deps.ts';
import { type At, ownConnections, redirect, showProblem, tell } from './sending.ts';

/** More than any provider answers. */
const longest = 16_000;
/** Parameters of an answer that stand in it once (RFC 6749 §3.1). */
const single = ['state', 'code', 'error', 'iss'];

export const doneAt = (id: string) => `/connect/done/${encodeURIComponent(id)}`;

/** `GET /connect/callback/…`: the answer of who knows the user's account. It is taken once, and leaves the address at once. */
export async function takeAnswer(at: At, target: Target, deps: PageDeps): Promise<void> {
  const { request, response, query, person } = at;
  if (request.method !== 'GET' || isAhead(request)) {
    response.writeHead(503, { 'cache-control': 'no-store' }).end();
    return;
  }
  if ((request.url ?? '').length > longest) return await tell(at, 'too_long');
  if (single.some((name) => query.getAll(name).length > 1)) return await tell(at, 'unknown');
  const verifier = verifierOf(request, person, deps);
  const finished = await deps.credentials.consents.finish(target, query, verifier);
  if (finished.ok) {
    const { goOn, opened } = finished.value;
    return redirect(at, goOn !== null && isFit(goOn) ? goOn : doneAt(opened.id));
  }
  const { reference } = finished.error;
  const isOwn = reference !== null && (await deps.credentials.consents.ended(reference, verifier)) !== null;
  if (isOwn && reference !== null) return redirect(at, doneAt(reference));
  await showProblem(at, finished.error, null, deps);
}

/** `GET /connect/done/{id}`: how it ended, for the browser in which it was done. */
export async function showDone(at: At, id: string, deps: PageDeps): Promise<void> {
  const ended = await deps.credentials.consents.ended(id, verifierOf(at.request, at.person, deps));
  if (ended === null) return await tell(at, 'unknown');
  const { status, opened, failure } = ended;
  const { label } = opened;
  const isSignedIn = at.person !== null;
  if (status === 'completed') return await sendPage(at.response, 200, accountDonePage({ label, isSignedIn }));
  if (status === 'verifying') return await sendPage(at.response, 200, accountVerifyingPage({ label }));
  if (status === 'pending') return await sendPage(at.response, 200, accountPendingPage({ label }));
  const problem = accountProblem({
    kind: 'failed',
    reason: failure?.reason ?? '',
    advice: failure?.advice ?? '',
    reference: id,
    ...(isSignedIn ? { retry: ownConnections } : {}),
  });
  await sendPage(at.response, problem.status, problem.page);
}

import type { Opened } from '#credentials';
import { sentenceOf } from '../pages/account-problem-page.ts';
import { askAccountPage, entryName, entryPage } from '../pages/ask-account-page.ts';
import { goOnPage } from '../pages/go-on-page.ts';
import { sendPage } from '../pages/page.ts';
import { plainText } from '../pages/plain-text.ts';
import { isOpenedByPerson, markBrowser, newMark, verifierOf } from './at-browser.ts';
import { doneAt } from './callback-routes.ts';
import { isFit } from './onward-url.ts';
import type { PageDeps } from './page-deps.ts';
import { type At, redirect, showProblem, tell } from './sending.ts';

/** `GET /connect/{token}` */
export async function showLink(at: At, token: string, deps: PageDeps): Promise<void> {
  const looked = await deps.credentials.consents.look(token, verifierOf(at.request, at.person, deps));
  if (!looked.ok) return await showProblem(at, looked.error, `/connect/${token}`, deps);
  const opened = looked.value;
  if (opened.entry !== null) return await showEntry(at, token, { opened, problem: null, missing: [] }, deps);
  if (opened.isSure && isOpenedByPerson(at.request)) {
    const url = await open(at, token, opened.id, deps);
    if (url !== null) redirect(at, url);
    return;
  }
  const formToken = deps.forms.token(at.request, at.response, aboutOf(token));
  const page = askAccountPage({ asked: opened, action: `/connect/${token}`, formToken });
  await sendPage(at.response, 200, page);
}

const aboutOf = (token: string) => `connect ${token}`;

/** `POST /connect/{token}`: go on, or what was entered. */
export async function goOn(at: At, token: string, deps: PageDeps): Promise<void> {
  const fields = await deps.forms.read(at.request, aboutOf(token));
  const looked = await deps.credentials.consents.look(token, verifierOf(at.request, at.person, deps));
  if (!looked.ok) return await showProblem(at, looked.error, `/connect/${token}`, deps);
  // Not sent by our own page: it is shown again.
  if (fields === null) return redirect(at, `/connect/${token}`);
  const opened = looked.value;
  if (opened.entry !== null) return await enter(at, token, { opened, fields }, deps);
  const url = await open(at, token, opened.id, deps);
  if (url !== null) await sendOn(at, url, opened, 'You allow it there, and come back.');
}

/** Marks the browser as the one that goes on; `null` where it was told why it may not. */
async function open(at: At, token: string, id: string, deps: PageDeps): Promise<string | null> {
  const mark = newMark();
  const verifier = verifierOf(at.request, at.person, deps);
  const url = await deps.credentials.consents.open(token, verifier, mark);
  if (!url.ok) {
    await showProblem(at, url.error, `/connect/${token}`, deps);
    return null;
  }
  markBrowser(at.request, at.response, { id, mark }, deps);
  return url.value;
}

/** The answer to a form: by a page, because a form may redirect nowhere else. */
async function sendOn({ response }: At, url: string, opened: Opened, words: string): Promise<void> {
  const to = plainText(opened.host ?? opened.label, 120);
  await sendPage(response, 200, goOnPage({ url, title: `Going on to ${to}`, words }));
}

interface Entered {
  readonly opened: Opened;
  /** What is wrong with all of it. */
  readonly problem: string | null;
  /** Names of fields that are empty or too long. */
  readonly missing: readonly string[];
}

async function showEntry(
  { request, response }: At,
  token: string,
  { opened, problem, missing }: Entered,
  { forms }: PageDeps,
): Promise<void> {
  const isWrong = problem !== null || missing.length > 0;
  const page = entryPage({
    asked: opened,
    action: `/connect/${token}`,
    formToken: forms.token(request, response, aboutOf(token)),
    instructions: opened.entry?.instructions ?? '',
    fields: (opened.entry?.fields ?? []).map((field) =>
      missing.includes(field.name) ? { ...field, problem: 'Enter this, in at most 8192 characters.' } : field,
    ),
    problem,
  });
  await sendPage(response, isWrong ? 400 : 200, page);
}

const longest = 8192;

async function enter(
  at: At,
  token: string,
  { opened, fields }: { readonly opened: Opened; readonly fields: URLSearchParams },
  deps: PageDeps,
): Promise<void> {
  const names = (opened.entry?.fields ?? []).map(({ name }) => name);
  const entered = Object.fromEntries(names.map((name) => [name, fields.get(entryName(name)) ?? '']));
  const missing = names.filter(
    (name) => entered[name]?.trim() === '' || (entered[name] ?? '').length > longest,
  );
  if (missing.length > 0) return await showEntry(at, token, { opened, problem: null, missing }, deps);
  if (deps.refused.isOver(opened.id)) return await tell(at, 'too_often');
  const mark = newMark();
  const verifier = verifierOf(at.request, at.person, deps);
  const finished = await deps.credentials.consents.enter(token, verifier, entered, mark);
  if (finished.ok) {
    const { id } = finished.value.opened;
    markBrowser(at.request, at.response, { id, mark }, deps);
    const { goOn: url } = finished.value;
    if (url === null || !isFit(url)) return redirect(at, doneAt(id));
    const host = new URL(url).host;
    return await sendOn(at, url, { ...opened, host }, 'It goes on there.');
  }
  const { kind, words, advice = '' } = finished.error;
  if (kind !== 'refused') return await showProblem(at, finished.error, `/connect/${token}`, deps);
  deps.refused.failed(opened.id);
  await showEntry(at, token, { opened, problem: problemOf(words, advice), missing: [] }, deps);
}

function problemOf(words: string, advice: string): string {
  return [words, advice].map(sentenceOf).join(' ').trim();
}

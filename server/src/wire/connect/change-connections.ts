import { type UpdateConnectionRequest, updateConnectionRequest } from '@sallyport/contracts';
import type { ConnectionView } from '#credentials';
import type { Refusal } from '#domain';
import type { Result } from '#foundation';
import { accountProblem, sentenceOf } from '../pages/account-problem-page.ts';
import type { Notice } from '../pages/connections-page.ts';
import { goOnPage } from '../pages/go-on-page.ts';
import { sendPage } from '../pages/page.ts';
import { plainText } from '../pages/plain-text.ts';
import { aboutOwn, canConnect, connectionsAt, ownConnections, showOwn } from './own-connections.ts';
import type { PageDeps } from './page-deps.ts';
import type { PersonHere } from './person-here.ts';
import { type At, redirect, tell } from './sending.ts';

export const ownActions: ReadonlySet<string> = new Set([
  'again',
  'another',
  'change',
  'default',
  'disconnect',
]);

interface Change {
  readonly at: At;
  readonly person: PersonHere;
  readonly projectId: string;
  readonly fields: URLSearchParams;
}

/** `POST /connect/{action}`: every change of one's own connections, by a form of ours alone. */
export async function changeConnections(at: At, action: string, deps: PageDeps): Promise<void> {
  const { person } = at;
  const fields = person === null ? null : await deps.forms.read(at.request, aboutOwn(person));
  if (person === null || fields === null) {
    const retry = { url: '/connect', text: 'Your connections' };
    const { status, page } = accountProblem({ kind: 'not_sent_by_us', reference: null, retry });
    return await sendPage(at.response, status, page);
  }
  const projectId = fields.get('project') ?? '';
  const isOwnPlace = deps.identity.people.project(projectId)?.organizationId === person.organizationId;
  const change = { at, person, projectId, fields };
  if (!isOwnPlace) return await tell(at, 'not_there');
  if (action === 'another') return await connectAnother(change, deps);
  const own = await ownConnections(projectId, person, deps);
  const connection = own.find(({ id }) => id === fields.get('id'));
  if (connection === undefined) return await tell(at, 'not_there');
  await doTo(connection, action, change, deps);
}

async function doTo(
  connection: ConnectionView,
  action: string,
  change: Change,
  deps: PageDeps,
): Promise<void> {
  const { connections } = deps.credentials;
  const { projectId } = change;
  const { id, name } = connection;
  if (action === 'again') return await connectAgain(connection, change, deps);
  if (action === 'change') return await changeOne(connection, change, deps);
  if (action === 'default') {
    const changed = await connections.change(projectId, id, { isDefault: true });
    return back(
      change,
      said(changed, `${plainText(name)} is used from now on, unless another one is chosen.`),
      deps,
    );
  }
  const revoked = await connections.revoke(projectId, id);
  if (!revoked.ok) return back(change, said(revoked, ''), deps);
  const { atProvider, reason } = revoked.value;
  const gone = `${plainText(name)} is disconnected: nothing here uses it any more.`;
  const there =
    atProvider === 'revoked'
      ? 'It was also ended over there.'
      : atProvider === 'unsupported'
        ? 'Over there nothing can be ended from here: see the settings of that account, if you want to be sure.'
        : `Over there it could not be ended, so end it in the settings of that account. ${sentenceOf(reason ?? '')}`;
  back(change, { isBad: atProvider === 'failed', text: `${gone} ${there}` }, deps);
}

function said(result: Result<unknown, Refusal>, text: string): Notice {
  return result.ok ? { isBad: false, text } : { isBad: true, text: sentenceOf(result.error.message) };
}

function back({ at, person }: Change, notice: Notice, deps: PageDeps): void {
  redirect(at, connectionsAt(notice, person, deps));
}

const mostNames = 100;

async function changeOne(connection: ConnectionView, change: Change, deps: PageDeps): Promise<void> {
  const { at, person, projectId, fields } = change;
  const list = (field: string) => [
    ...new Set((fields.get(field) ?? '').split(/[\s,]+/).filter((one) => one !== '')),
  ];
  const entered = {
    name: (fields.get('name') ?? '').trim(),
    gateways: list('gateways').slice(0, mostNames),
    tools: list('tools').slice(0, mostNames),
  };
  const wrong = wrongIn(entered);
  const changed =
    wrong !== null
      ? null
      : await deps.credentials.connections.change(projectId, connection.id, {
          ...entered,
          tools: toolIdsOf(projectId, entered.tools, deps),
        });
  if (changed?.ok === true) {
    return back(change, { isBad: false, text: `${plainText(entered.name)} is changed.` }, deps);
  }
  const problem = changed === null ? (wrong ?? '') : changed.error.message;
  await showOwn(at, person, { notice: null, mistake: { id: connection.id, entered, problem } }, deps);
}

/** What the API would not take either. */
function wrongIn(entered: UpdateConnectionRequest): string | null {
  if (entered.name === '') return 'the account needs a name';
  const { error } = updateConnectionRequest.safeParse(entered);
  const [issue] = error?.issues ?? [];
  return issue === undefined ? null : `${issue.path.map(String).join('.')}: ${issue.message}`;
}

/** A name that no tool has stays as it is: whoever tries names learns of none that they may not see. */
function toolIdsOf(projectId: string, names: readonly string[], { catalog }: PageDeps): readonly string[] {
  const tools = catalog.tools(projectId);
  return names.flatMap((name) => {
    const ids = tools.filter(({ ruleName }) => ruleName === name).map(({ id }) => id);
    return ids.length === 0 ? [name] : ids;
  });
}

async function connectAgain(
  { target, userId, scopes, name }: ConnectionView,
  change: Change,
  deps: PageDeps,
): Promise<void> {
  const { person, projectId } = change;
  const whom = { projectId, userId, personId: person.id };
  await goTo(change, await deps.credentials.consents.connect(whom, { target, scopes, account: name }), deps);
}

async function connectAnother(change: Change, deps: PageDeps): Promise<void> {
  const { at, person, projectId, fields } = change;
  const { providers, consents } = deps.credentials;
  const provider = providers.get(projectId, fields.get('provider') ?? '');
  const userId = fields.get('user') ?? '';
  if (provider === null || !canConnect(provider) || !person.userIdsIn(projectId).includes(userId)) {
    return await tell(at, 'not_there');
  }
  const whom = { projectId, userId, personId: person.id };
  const target = { projectId, kind: 'provider', id: provider.id } as const;
  await goTo(change, await consents.connect(whom, { target, scopes: [], account: null }), deps);
}

/** By a page: a form may redirect nowhere else, and the consent goes on elsewhere at once. */
async function goTo(change: Change, url: Result<string, Refusal>, deps: PageDeps): Promise<void> {
  if (!url.ok) return back(change, said(url, ''), deps);
  const page = goOnPage({ url: url.value, title: 'Going on', words: 'You allow it there, and come back.' });
  await sendPage(change.at.response, 200, page);
}

import type { AuthProvider, ConnectionView, FailedConsent, Target } from '#credentials';
import { isMembers } from '#foundation';
import {
  connectionsPage,
  type Notice,
  type ShownAccount,
  type ShownProject,
} from '../pages/connections-page.ts';
import { sendPage } from '../pages/page.ts';
import type { PageDeps } from './page-deps.ts';
import type { PersonHere } from './person-here.ts';
import { type At, askToSignIn } from './sending.ts';

/** What was entered for an account, and is not right. */
export interface Mistake {
  readonly id: string;
  readonly entered: Pick<ShownAccount, 'name' | 'gateways' | 'tools'>;
  readonly problem: string;
}

/** `GET /connect` */
export async function showConnections(at: At, deps: PageDeps): Promise<void> {
  if (at.person === null) {
    const to = { what: 'own', backTo: '/connect', projectId: 'default', reference: null } as const;
    return await askToSignIn(at, to, deps);
  }
  await showOwn(at, at.person, { notice: noticeIn(at, at.person, deps), mistake: null }, deps);
}

export async function showOwn(
  { request, response }: At,
  person: PersonHere,
  told: { readonly notice: Notice | null; readonly mistake: Mistake | null },
  deps: PageDeps,
): Promise<void> {
  const projects = deps.identity.people.projects(person.organizationId);
  const shown = await Promise.all(
    projects.map(({ id, name }) => shownProject({ id, name }, person, told.mistake, deps)),
  );
  const page = connectionsPage({
    signedInAs: person.name,
    formToken: deps.forms.token(request, response, aboutOwn(person)),
    projects: shown,
    notice: told.notice,
  });
  await sendPage(response, told.mistake === null ? 200 : 400, page);
}

export const aboutOwn = ({ signInId }: PersonHere) => `connections ${signInId}`;

/**
 * Theirs: what they consented to themselves, and what was consented to for a user id of theirs where an API key vouched for the user.
 * What another person consented to is that person's, whatever user id it is for.
 */
export async function ownConnections(
  projectId: string,
  person: PersonHere,
  { credentials: { connections } }: Pick<PageDeps, 'credentials'>,
): Promise<readonly ConnectionView[]> {
  return await ofPerson(projectId, person, (whose) => connections.list(projectId, whose));
}

interface Whose {
  readonly personId?: string;
  readonly userIds?: readonly string[];
}

async function ofPerson<T extends { readonly id: string; readonly personId: string | null }>(
  projectId: string,
  person: PersonHere,
  list: (whose: Whose) => Promise<readonly T[]>,
): Promise<readonly T[]> {
  const userIds = person.userIdsIn(projectId);
  const [consented, vouched] = await Promise.all([
    list({ personId: person.id }),
    userIds.length === 0 ? [] : list({ userIds }),
  ]);
  return [...consented, ...vouched.filter(({ personId }) => personId === null)];
}

async function shownProject(
  { id, name }: { readonly id: string; readonly name: string },
  person: PersonHere,
  mistake: Mistake | null,
  deps: PageDeps,
): Promise<ShownProject> {
  const { providers, consents } = deps.credentials;
  const [connections, failures] = await Promise.all([
    ownConnections(id, person, deps),
    ofPerson(id, person, (whose) => consents.failedLately(id, whose)),
  ]);
  const userIds = person.userIdsIn(id);
  const labelOf = (target: Target) =>
    (target.kind === 'provider' ? providers.get(id, target.id)?.label : undefined) ?? target.id;
  const open = userIds.length === 0 ? [] : providers.list(id).filter(canConnect);
  const toolNames = new Map(deps.catalog.tools(id).map((tool) => [tool.id, tool.ruleName]));
  return {
    id,
    name,
    accounts: connections.map((one) => ({
      ...shownAccount(one, connections),
      tools: one.tools.map((tool) => toolNames.get(tool) ?? tool),
      label: labelOf(one.target),
      host: one.target.kind === 'provider' ? hostOf(providers.get(id, one.target.id)) : null,
      ...(mistake?.id === one.id ? { ...mistake.entered, problem: mistake.problem } : {}),
    })),
    providers: open.map(({ id: provider, label, description }) => ({
      id: provider,
      label,
      description,
      userIds: usedBy(person, id, connections, deps),
      isConnected: connections.some(({ target }) => target.kind === 'provider' && target.id === provider),
    })),
    failures: newestFirst(failures).map((one) => ({
      id: one.id,
      label: labelOf(one.target),
      reason: one.failure.reason,
      advice: one.failure.advice,
      code: one.failure.code,
      endedAt: one.endedAt,
    })),
  };
}

/**
 * As what tools of a project know the person. What a source calls them is their name only at gateways that let in its users, or where
 * something was connected for it before.
 */
function usedBy(
  person: PersonHere,
  projectId: string,
  connections: readonly ConnectionView[],
  { catalog }: PageDeps,
): readonly string[] {
  const userIds = person.userIdsIn(projectId);
  const ofSources = catalog.gateways(projectId).some(({ authTypes }) => authTypes.includes('user_source'));
  return userIds.filter(
    (userId, index) => index === 0 || ofSources || connections.some((one) => one.userId === userId),
  );
}

/** Whether users are asked there at all: where their own sign-in here is proof, there is nothing to connect. */
export function canConnect({ status, type }: AuthProvider): boolean {
  return status === 'active' && type !== 'token_exchange';
}

const mostFailures = 10;

function newestFirst(failures: readonly FailedConsent[]): readonly FailedConsent[] {
  return [...failures].sort((one, other) => (one.endedAt < other.endedAt ? 1 : -1)).slice(0, mostFailures);
}

function shownAccount(
  one: ConnectionView,
  all: readonly ConnectionView[],
): Omit<ShownAccount, 'label' | 'host' | 'tools'> {
  const isBeside = (other: ConnectionView) =>
    other.target.kind === one.target.kind && other.target.id === one.target.id && other.userId === one.userId;
  const { id, name, userId, isDefault, scopes, gateways, createdAt, lastUsedAt } = one;
  return {
    ...{ id, name, userId, isDefault, scopes, gateways, createdAt, lastUsedAt },
    works: one.status === 'active',
    isOneOfSeveral: all.filter(isBeside).length > 1,
  };
}

/** Where users sign in, which tells what its scopes mean. */
function hostOf(provider: AuthProvider | null): string | null {
  return URL.parse(provider?.oauth2?.authorize_request?.endpoint ?? '')?.host ?? null;
}

const noticeLastsMs = 60_000;

/** The address of the page, with what was done, which nobody else can write. */
export function connectionsAt(
  notice: Notice | null,
  person: PersonHere,
  { sealer, clock }: PageDeps,
): string {
  if (notice === null) return '/connect';
  const until = clock.now() + noticeLastsMs;
  return `/connect?told=${sealer.seal('connections notice', { notice, until }, person.signInId)}`;
}

function noticeIn({ query }: At, person: PersonHere, { sealer, clock }: PageDeps): Notice | null {
  const told = query.get('told');
  const opened = told === null ? null : sealer.open('connections notice', told, person.signInId);
  if (!isMembers(opened) || typeof opened.until !== 'number' || opened.until <= clock.now()) return null;
  return opened.notice as Notice;
}

import {
  type Caller,
  type ConsentNeeded,
  type Credential,
  consentRequired,
  consentsIn,
  type Refusal,
  type Source,
  type Tool,
} from '#domain';
import { err, type MaybePromise, ok, type Result } from '#foundation';
import { type AskingDeps, consentOf, freshMs, grantedBefore, userOf } from './asking.ts';
import type { Target } from './authority.ts';
import { grantsAll, type Use, type User } from './connections/choice.ts';
import { consentsTooOften } from './connections/keep.ts';
import type { Exchanging } from './exchange/exchanging.ts';
import type { Requirement } from './providers/contract.ts';
import { noUser } from './refusals.ts';
import type { Connection } from './store/kept.ts';

interface Deps extends AskingDeps {
  /** When connections were renewed because a tool said that their token was refused. */
  readonly renewedAtMs: Map<string, number>;
}

type Authorization = Credential['authorization'];

/** Something that wants the user's account at a provider: what it is called, and what it needs. */
interface Needing {
  readonly name: string;
  readonly projectId: string;
  readonly requirement: Requirement;
  /** Of an MCP server that wants it. */
  readonly resource: string | null;
}

/** What calls carry of their users' accounts. */
export interface Attaching {
  forTool(
    caller: Caller,
    tool: Tool,
    how: { readonly gateway: string | null } & Omit<How, 'use'>,
  ): MaybePromise<Result<Authorization, Refusal>>;
  forSource(
    caller: Caller,
    projectId: string,
    sourceId: string,
  ): MaybePromise<Result<Authorization, Refusal>>;
}

export function createAttaching(given: AskingDeps): Attaching {
  const deps: Deps = { ...given, renewedAtMs: new Map() };
  const { connections, sourceOf } = deps;

  /** Of an MCP server with an authorization server of its own: what there is, or nothing until it asks. */
  function ofSource(
    caller: Caller,
    { projectId, sourceId }: { readonly projectId: string; readonly sourceId: string },
    use: Use,
  ): MaybePromise<Result<Authorization, Refusal>> {
    const user = userOf(caller);
    if (user === null) return nothing;
    const source = caller.signInId === undefined ? null : sourceOf(projectId, sourceId);
    const known = source === null ? null : given.atSources.known(caller, source);
    if (known !== null) return ok(known);
    if (!connections.has(projectId, sourceId)) return nothing;
    const connection = connections.chosen({ projectId, kind: 'source', id: sourceId }, user, use);
    if (connection instanceof Promise) return connection.then(carried);
    return carried(connection);
  }

  const carried = (connection: Connection | null) =>
    connection === null ? nothing : connections.authorizationOf(connection);

  const use = (gateway: string | null, toolId: string | null): Use => ({ gateway, toolId });

  return {
    forTool(caller, tool, { gateway, ...how }) {
      const { projectId, sourceId, id } = tool;
      const needing = needingOf(tool, sourceOf(projectId, sourceId));
      if (needing.length === 0) return ofSource(caller, { projectId, sourceId }, use(gateway, id));
      return ofProviders(needing, caller, { ...how, use: use(gateway, id) }, deps);
    },
    forSource(caller, projectId, sourceId) {
      const source = sourceOf(projectId, sourceId);
      const needing = source === null ? [] : needingOfSource(source);
      if (needing.length === 0) return ofSource(caller, { projectId, sourceId }, use(null, null));
      return ofProviders(needing, caller, { use: use(null, null), isPeek: false, refused: null }, deps);
    },
  };
}

const nothing = ok(null);

function needingOf(tool: Tool, source: Source | null): readonly Needing[] {
  const ofSource = source === null ? [] : needingOfSource(source);
  const wanted = tool.requirements.authorization;
  if (wanted === null) return ofSource;
  const scopes = wanted.oauth2?.scopes ?? [];
  const requirement = { id: wanted.id ?? null, providerId: wanted.provider_id ?? null, scopes };
  return [{ name: tool.qualifiedName, projectId: tool.projectId, requirement, resource: null }, ...ofSource];
}

function needingOfSource({ id, projectId, authProvider, uri }: Source): readonly Needing[] {
  if (authProvider == null) return [];
  const requirement = { id: authProvider.id, providerId: null, scopes: authProvider.scopes };
  return [{ name: id, projectId, requirement, resource: uri }];
}

interface How {
  readonly use: Use;
  /** Nobody is asked. */
  readonly isPeek: boolean;
  /** A token that was refused over there. */
  readonly refused: string | null;
}

/** The first one's token is what the call carries; the user is asked for all that are missing at once. */
async function ofProviders(
  needing: readonly Needing[],
  caller: Caller,
  how: How,
  deps: Deps,
): Promise<Result<Authorization, Refusal>> {
  const user = userOf(caller);
  const [first] = needing;
  if (user === null) return err(noUser(first?.name ?? 'the tool'));
  let carries: Authorization = null;
  const missing: ConsentNeeded[] = [];
  for (const one of needing) {
    const given = await ofProvider(one, { ...user, caller }, how, deps);
    if (!given.ok) {
      const asked = consentsIn(given.error);
      if (asked.length === 0) return given;
      missing.push(...asked);
      continue;
    }
    if ('missing' in given.value) missing.push(given.value.missing);
    else if (one === first) carries = given.value.authorization;
  }
  const [asked, ...more] = missing.filter(
    ({ id }, index) => missing.findIndex((other) => other.id === id) === index,
  );
  return asked === undefined ? ok(carries) : err(consentRequired([asked, ...more]));
}

type OfProvider = { readonly authorization: Authorization } | { readonly missing: ConsentNeeded };

async function ofProvider(
  { name, projectId, requirement, resource }: Needing,
  { caller, ...user }: User & { readonly caller: Caller },
  { use, isPeek, refused }: How,
  deps: Deps,
): Promise<Result<OfProvider, Refusal>> {
  const { connections, flows, providers, issuer } = deps;
  const provider = providers.resolve(projectId, requirement);
  if (!provider.ok) return err({ ...provider.error, message: `${name}: ${provider.error.message}` });
  if (provider.value.type === 'token_exchange') {
    const asked = { caller, provider: provider.value, scopes: requirement.scopes, resource, refused };
    return await byOwnSignIn(asked, isPeek, deps);
  }
  const target: Target = { projectId, kind: 'provider', id: provider.value.id };
  const known = await connections.chosen(target, user, use);
  const isEnough = isPeek || (known?.status === 'active' && grantsAll(known, requirement.scopes));
  // Whoever came back from a consent at another replica is not asked again.
  const chosen = isEnough ? known : await connections.latest(target, user, use);
  const after = chosen === null || refused === null ? ok(chosen) : await afterRefusal(chosen, refused, deps);
  if (!after.ok) return after;
  const connection = after.value;
  if (connection !== null && grantsAll(connection, requirement.scopes)) {
    const given = await connections.authorizationOf(connection);
    if (!given.ok) return given;
    if (given.value !== null) {
      const { id, providerId, oauth2 } = provider.value;
      const of = { id, providerId, clientId: oauth2?.client_id ?? null, scopes: connection.grantedScopes };
      return ok({ authorization: { ...given.value, provider: of } });
    }
  }
  if (isPeek) return ok({ authorization: null });
  const begun = await flows.begin({
    ...{ target, userId: user.userId, personId: user.personId },
    ...{ lists: null, account: null, nextUri: null },
    wanted: { scopes: requirement.scopes, metadataUrl: null, isInsufficient: false },
    before: grantedBefore(connection),
  });
  if (!begun.ok) return begun;
  if (begun.value === null) return ok({ authorization: null });
  return ok({ missing: consentOf(begun.value, issuer()) });
}

/** Nobody is asked: the user's own sign-in here is proof. */
async function byOwnSignIn(
  asked: Parameters<Exchanging['authorization']>[0],
  isPeek: boolean,
  { exchanging }: Deps,
): Promise<Result<OfProvider, Refusal>> {
  if (isPeek) return ok({ authorization: exchanging.known(asked) });
  const given = await exchanging.authorization(asked);
  return given.ok ? ok({ authorization: given.value }) : given;
}

/** Beyond so many it is forgotten which were renewed: one more renewal does no harm. */
const maxRenewed = 10_000;

/**
 * A tool says that its provider refused this token: renewed, unless somebody has done that meanwhile. What was renewed for that
 * just now is refused for another reason, and nobody is asked again and again. `null`: the user must consent anew.
 */
async function afterRefusal(
  connection: Connection,
  refused: string,
  { connections, clock, renewedAtMs }: Deps,
): Promise<Result<Connection | null, Refusal>> {
  const { id, consentedAtMs } = connection;
  const now = await connections.authorizationOf(connection);
  if (!now.ok) return now;
  const isRenewed = clock.now() - (renewedAtMs.get(id) ?? Number.NEGATIVE_INFINITY) < freshMs;
  if (now.value?.token !== refused || isRenewed || consentsTooOften(consentedAtMs, clock))
    return ok(connection);
  if (renewedAtMs.size >= maxRenewed) renewedAtMs.clear();
  renewedAtMs.set(id, clock.now());
  return connections.renew(connection);
}

import { type Refusal, refusal } from '#domain';
import { type Clock, err, newId, ok, type Result } from '#foundation';
import type { Db } from '#storage';
import { grantedBefore } from '../asking.ts';
import type { Authority, Target } from '../authority.ts';
import { grantsAll, isOf, lasts, type Use, type User } from '../connections/choice.ts';
import type { Connections } from '../connections/connections.ts';
import type { Providers, Requirement } from '../providers/contract.ts';
import type { NewFlow } from '../store/flows.ts';
import type { Connection, Flow } from '../store/kept.ts';
import type { ConnectionStore } from '../store/store.ts';
import { type Begun, lastsMs, secretText } from './begin.ts';
import type { Authorization, Authorizations, ForWhom } from './contract.ts';
import { verifierAddress } from './ending.ts';
import type { Flows } from './flows.ts';

export interface AuthorizationsDeps {
  readonly db: Db;
  readonly store: ConnectionStore;
  readonly connections: Connections;
  readonly flows: Flows;
  readonly providers: Pick<Providers, 'resolve' | 'get'>;
  readonly authority: Authority;
  readonly clock: Clock;
  readonly issuer: () => string;
}

type Asked = Parameters<Authorizations['authorize']>[1];

/** Authorizations as the API drives and follows them. */
export function createAuthorizations(deps: AuthorizationsDeps): Authorizations {
  const { store, flows, connections, clock, issuer } = deps;

  async function viewOf(flow: Flow): Promise<Authorization> {
    const { id, target, userId, personId, scopes, failure, wasTold, connectionId } = flow;
    const status = flow.status === 'verifying' ? 'pending' : flow.status;
    const begun = await flows.begunOf(flow);
    const url = begun === null ? null : addressOf(begun, issuer());
    return { id, target, userId, personId, status, url, scopes, connectionId, failure, wasTold };
  }

  async function connectionIn(projectId: string, id: string): Promise<Connection | null> {
    const one = await store.connection(id);
    return one?.target.projectId === projectId ? one : null;
  }

  return {
    authorize: (whom, asked) => authorize(whom, asked, deps, viewOf),

    async statuses(whom, requirements) {
      const pending = await store.pendingOfUser(whom.projectId, whom.userId, clock.iso());
      return Promise.all(
        requirements.map(async (requirement) => {
          const target = targetOf(whom.projectId, requirement, deps);
          if (!target.ok) return target;
          if (asksNobody(target.value, deps)) return ok('completed' as const);
          const connection = await connections.chosen(target.value, whom, useOf(requirement.toolId));
          if (serves(connection, requirement.scopes, deps)) return ok('completed' as const);
          const isAsked = pending.some((flow) => isFor(flow, target.value, requirement.scopes, whom));
          return ok(isAsked ? ('pending' as const) : ('not_started' as const));
        }),
      );
    },

    async status(projectId, id, waitMs, signal) {
      const known = await flows.find(id);
      if (known?.target.projectId === projectId) {
        const flow = waitMs > 0 ? await flows.wait(id, waitMs, signal) : known;
        return flow === null ? null : viewOf(flow);
      }
      const connection = await connectionIn(projectId, id.replace(/^ac_/, 'con_'));
      return connection === null ? null : completedBy(connection);
    },

    told: store.told,

    async token({ connectionId, target, userId }) {
      const connection = connectionId === null ? null : await connectionIn(target.projectId, connectionId);
      if (connection === null || connection.userId !== userId) return err(gone(target));
      const given = await connections.authorizationOf(connection);
      if (!given.ok) return given;
      if (given.value === null) return err(gone(target));
      return ok({ token: given.value.token, userInfo: given.value.userInfo });
    },

    confirmUser: (projectId, flowId, userId) => confirmUser({ projectId, flowId, userId }, deps),

    async testVerifier({ projectId, userId, personId }, verifierUrl) {
      const nowMs = clock.now();
      const target: Target = { projectId, kind: 'provider', id: '' };
      const flowId = secretText();
      const flow: NewFlow = {
        ...{ id: newId('ac', nowMs), target, userId, personId, account: null, lists: null, scopes: [] },
        ...{ nextUri: null, label: '', host: null, expiresAtMs: nowMs + lastsMs },
        status: 'verifying',
      };
      const secret = {
        ...{ token: secretText(), held: {}, boundTo: '', issuer: '', entry: null, existingScopes: [] },
        ...{ opening: null, granted: null },
      };
      await deps.db.tx((queries) =>
        store.insertFlow(queries, flow, secret, { createdIso: clock.iso(), verifyId: flowId }),
      );
      return ok({ flowId, nextUri: verifierAddress(verifierUrl, flowId) });
    },

    verification: {
      get: store.verification,
      put: (projectId, verification) => store.saveVerification(projectId, verification, clock.iso()),
    },
  };
}

/** What the project's own verifier says, once; saying the same again changes nothing. */
async function confirmUser(
  { projectId, flowId, userId }: Record<'projectId' | 'flowId' | 'userId', string>,
  { store, flows }: AuthorizationsDeps,
): ReturnType<Authorizations['confirmUser']> {
  const flow = await flows.ending.looked(await store.flowByVerifyId(flowId));
  if (flow === null || flow.target.projectId !== projectId) return err(unknownFlow);
  const { id: authId, nextUri } = flow;
  // Said again, because a page was loaded again or an answer got lost.
  if (flow.status === 'completed' && flow.userId === userId) return ok({ authId, nextUri });
  const secret = flow.status === 'verifying' ? await store.openFlow(flow) : null;
  if (secret === null) return err(endedAlready(flow));
  if (flow.userId !== userId) {
    await flows.ending.fail(flow, mismatch);
    return err(refusal('credentials.user_mismatch', 'An error occurred during verification'));
  }
  const failure = await flows.ending.complete(flow, secret, secret.granted);
  return failure === null
    ? ok({ authId, nextUri })
    : err(refusal('credentials.authorization_failed', `${failure.reason}. ${failure.advice}`.trim()));
}

async function authorize(
  whom: ForWhom,
  asked: Asked,
  deps: AuthorizationsDeps,
  viewOf: (flow: Flow) => Promise<Authorization>,
): Promise<Result<Authorization, Refusal>> {
  const { projectId, userId, personId } = whom;
  const found = targetOf(projectId, asked.requirement, deps);
  if (!found.ok) return found;
  const target = found.value;
  const scopes = 'scopes' in asked.requirement ? asked.requirement.scopes : [];
  const { account = null, toolId, nextUri } = asked;
  const connection =
    account === null
      ? await deps.connections.chosen(target, whom, useOf(toolId))
      : await accountNamed(target, whom, account, deps);
  if (connection !== null && serves(connection, scopes, deps)) {
    const given = await deps.connections.authorizationOf(connection);
    if (!given.ok) return given;
    if (given.value !== null) return ok(completedBy(connection));
  }
  const none: Authorization = {
    ...{ id: '', target, userId, personId, scopes, url: null, connectionId: null, failure: null },
    ...{ status: 'not_started', wasTold: false },
  };
  if (asksNobody(target, deps)) return ok({ ...none, status: 'completed' });
  if (asked.peek === true) {
    const pending = await deps.store.pendingAt({ target, userId }, deps.clock.iso());
    const known = pending.find((flow) => isFor(flow, target, scopes, whom));
    return ok(known === undefined ? none : await viewOf(known));
  }
  const begun = await deps.flows.begin({
    ...{ target, userId, personId, lists: null, account, nextUri },
    wanted: { scopes, metadataUrl: null, isInsufficient: false },
    before: grantedBefore(connection),
  });
  if (!begun.ok) return begun;
  return ok(begun.value === null ? { ...none, status: 'completed' } : await viewOf(begun.value.flow));
}

function targetOf(
  projectId: string,
  requirement: Requirement | { readonly sourceId: string },
  { providers }: Pick<AuthorizationsDeps, 'providers'>,
): Result<Target, Refusal> {
  if ('sourceId' in requirement) return ok({ projectId, kind: 'source', id: requirement.sourceId });
  const provider = providers.resolve(projectId, requirement);
  return provider.ok ? ok({ projectId, kind: 'provider', id: provider.value.id }) : provider;
}

/** Its tokens are got for the user's own sign-in. */
function asksNobody(target: Target, { providers }: Pick<AuthorizationsDeps, 'providers'>): boolean {
  return target.kind === 'provider' && providers.get(target.projectId, target.id)?.type === 'token_exchange';
}

/** As a call over the API would choose, which goes through no gateway. */
const useOf = (toolId: string | null = null): Use => ({ gateway: null, toolId });

async function accountNamed(
  target: Target,
  whom: User,
  account: string,
  { connections }: AuthorizationsDeps,
): Promise<Connection | null> {
  const accounts = await connections.of({ target, userId: whom.userId });
  return accounts.find((one) => one.name === account && isOf(one, whom)) ?? null;
}

function serves(
  connection: Connection | null,
  scopes: readonly string[],
  { authority, clock }: Pick<AuthorizationsDeps, 'authority' | 'clock'>,
): boolean {
  return (
    connection?.status === 'active' &&
    lasts(connection, clock.now()) &&
    connection.boundTo === authority.boundTo(connection.target) &&
    grantsAll(connection, scopes)
  );
}

function isFor(flow: Flow, target: Target, scopes: readonly string[], { personId }: ForWhom): boolean {
  const { kind, id } = flow.target;
  return (
    kind === target.kind &&
    id === target.id &&
    flow.personId === personId &&
    scopes.every((scope) => flow.scopes.includes(scope))
  );
}

/** It was given before, so that nobody was asked: its id is that of the connection. */
function completedBy(connection: Connection): Authorization {
  const { id, target, userId, personId, grantedScopes: scopes } = connection;
  return {
    ...{ id: id.replace(/^con_/, 'ac_'), target, userId, personId, scopes, connectionId: id },
    ...{ status: 'completed', url: null, failure: null, wasTold: false },
  };
}

function addressOf({ token }: Begun, issuer: string): string {
  return `${issuer}/connect/${token}`;
}

const mismatch = {
  code: 'user_mismatch',
  reason: 'somebody else was at the browser than the user who started this',
  advice: 'Let the user start again, signed in as the one for whom the agent acts.',
};

const unknownFlow = refusal('resource.unknown', 'flow_id: there is no such flow', { field: 'flow_id' });

function endedAlready({ failure }: Flow): Refusal {
  const why = failure === null ? 'it was confirmed already' : failure.reason;
  return refusal('credentials.authorization_failed', `flow_id: ${why}`, { field: 'flow_id' });
}

function gone({ id }: Target): Refusal {
  const message = `what the user allowed at ${id} does not hold any more: the user has to authorize it again`;
  return refusal('credentials.consent_required', message);
}

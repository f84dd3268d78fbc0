import { type Refusal, refusal } from '#domain';
import { type Clock, err, ok, type Result } from '#foundation';
import type { Queries } from '#storage';
import type { Authority } from '../authority.ts';
import type { ConsentEvent } from '../contract.ts';
import type { Connection } from '../store/kept.ts';
import { isoOrNull } from '../store/rows.ts';
import type { ConnectionStore } from '../store/store.ts';
import type { Connections } from './connections.ts';
import type { ConnectionChange, ConnectionView, UserConnections } from './contract.ts';

export interface UserConnectionsDeps {
  readonly store: ConnectionStore;
  readonly connections: Connections;
  readonly authority: Authority;
  readonly clock: Clock;
  readonly onEvent: (event: ConsentEvent) => void | Promise<void>;
}

/** Connections as people and administrators see and mend them. */
export function createUserConnections(deps: UserConnectionsDeps): UserConnections {
  const { store, connections, authority } = deps;

  async function found(projectId: string, id: string): Promise<Connection | null> {
    const one = await store.connection(id);
    return one?.target.projectId === projectId ? one : null;
  }

  function tell(kind: ConsentEvent['kind'], one: Connection, reason: string) {
    const { id, target, userId, personId } = one;
    return deps.onEvent({ kind, id, target, userId, personId, code: null, reason });
  }

  async function takeBack(one: Connection) {
    const secret = await store.openConnection(one);
    if (secret === null || secret.accessToken === '') return ok('unsupported' as const);
    const { held, accessToken, refreshToken } = secret;
    return authority.revoke(one.target, held, { accessToken, refreshToken, scopes: one.grantedScopes });
  }

  return {
    list: async (projectId, filter) => (await store.connectionsBy(projectId, filter)).map(viewOf),
    async page(projectId, filter, page) {
      const [items, total] = await Promise.all([
        store.connectionsBy(projectId, filter, page),
        store.countBy(projectId, filter),
      ]);
      return { items: items.map(viewOf), total };
    },
    async find(projectId, id) {
      const one = await found(projectId, id);
      return one === null ? null : viewOf(one);
    },
    async change(projectId, id, change) {
      const one = await found(projectId, id);
      if (one === null) return err(unknown(id));
      const changed = await connections.change(one, (queries) => applied(one, change, queries, deps));
      if (!changed.ok) return changed;
      await tell('chosen', changed.value, wordsOf(change));
      return ok(viewOf(changed.value));
    },
    async revoke(projectId, id) {
      const one = await found(projectId, id);
      if (one === null) return err(unknown(id));
      await connections.change(one, (queries) => store.forgetConnection(queries, one));
      const outcome = await takeBack(one);
      const atProvider = outcome.ok ? outcome.value : 'failed';
      const reason = outcome.ok ? null : outcome.error.words;
      await tell('revoked', one, reason === null ? `over there: ${atProvider}` : `over there: ${reason}`);
      return ok({ atProvider, reason });
    },
    countOf: store.countOf,
  };
}

/** A name is one account's alone, and a tool or a gateway has one account. */
async function applied(
  { id, target, userId }: Connection,
  change: ConnectionChange,
  queries: Queries,
  { store }: UserConnectionsDeps,
): Promise<Result<Connection, Refusal>> {
  await store.alone(queries, ['accounts', target.projectId, target.kind, target.id, userId]);
  const accounts = await store.connectionsOf({ target, userId }, queries);
  const one = accounts.find((other) => other.id === id);
  if (one === undefined) return err(unknown(id));
  const others = accounts.filter((other) => other !== one);
  const { name = one.name, isDefault = one.isDefault, gateways = one.gateways, tools = one.tools } = change;
  if (others.some((other) => other.name === name)) {
    const message = `name: another account there is called ${JSON.stringify(name)} already`;
    return err(refusal('resource.conflict', message, { field: 'name' }));
  }
  for (const other of others.filter(({ personId }) => personId === one.personId)) {
    const kept = {
      gateways: other.gateways.filter((slug) => !gateways.includes(slug)),
      tools: other.tools.filter((tool) => !tools.includes(tool)),
    };
    const isSame = kept.gateways.length === other.gateways.length && kept.tools.length === other.tools.length;
    if (!isSame) await store.changeConnection(queries, { ...other, ...kept });
  }
  const next = { ...one, name, isDefault, gateways, tools };
  await store.changeConnection(queries, next);
  return ok(next);
}

function wordsOf({ name, isDefault, gateways, tools }: ConnectionChange): string {
  const parts = [
    name === undefined ? [] : [`name: ${name}`],
    isDefault === undefined ? [] : ['the default account'],
    gateways === undefined ? [] : [`gateways: ${gateways.join(' ') || 'none'}`],
    tools === undefined ? [] : [`tools: ${tools.join(' ') || 'none'}`],
  ];
  return parts.flat().join('; ') || 'nothing';
}

function viewOf(one: Connection): ConnectionView {
  const { id, target, userId, personId, name, isDefault, gateways, tools, status, userInfo } = one;
  return {
    ...{ id, target, userId, personId, name, isDefault, gateways, tools, status, userInfo },
    scopes: one.grantedScopes,
    expiresAt: isoOrNull(one.expiresAtMs),
    createdAt: new Date(one.createdAtMs).toISOString(),
    updatedAt: new Date(one.changedAtMs).toISOString(),
    lastUsedAt: isoOrNull(one.lastUsedAtMs),
  };
}

function unknown(id: string): Refusal {
  return refusal('resource.unknown', `there is no connection ${id}`, { field: 'id' });
}

import { isDeepStrictEqual } from 'node:util';
import { type Refusal, refusal } from '#domain';
import { type Egress, guardedFetch } from '#egress';
import { type Clock, err, newId, ok, type Result } from '#foundation';
import type { Changes, Db } from '#storage';
import type { Vault } from '#vault';
import { createAssertionCheck } from './check-assertion.ts';
import { previewOf } from './claim-preview.ts';
import type { UserSource, UserSources } from './contract.ts';
import { createIssuer, type Issuer } from './issuer.ts';
import { createIssuerTokens } from './issuer-tokens.ts';
import { createSignIn } from './sign-in.ts';
import { reportOn } from './source-report.ts';
import { createSourceStore, topic } from './store.ts';

const limits = { timeoutMs: 5_000, maxBytes: 256 * 1024 };

/** Loads all sources. Every change is written to the database first and then to memory. */
export async function createUserSources(deps: {
  readonly db: Db;
  readonly changes: Changes;
  readonly vault: Vault;
  readonly egress: Egress;
  readonly clock: Clock;
  readonly issuer: () => string;
}): Promise<UserSources> {
  const { db, clock, egress } = deps;
  const store = createSourceStore(deps);
  const shelf = createShelf();
  for (const source of await store.load(null)) shelf.put(source);
  const fetchers = {
    file: guardedFetch(egress, 'file', limits),
    api: guardedFetch(egress, 'api', limits),
  };
  // What was found out of an issuer belongs to the source as it was then.
  const issuers = new WeakMap<UserSource, Issuer>();

  deps.changes.on(topic, async (id) => {
    const stored = await store.load(id);
    shelf.keepOnly(id, stored);
    for (const source of stored) shelf.put(source);
  });

  function issuerOf(source: UserSource): Issuer {
    const issuer =
      issuers.get(source) ?? createIssuer(source, { egress, clock, fetcher: fetchers[source.origin] });
    issuers.set(source, issuer);
    return issuer;
  }

  const redirectUri = (id: string) => `${deps.issuer()}/oauth2/callback/${id}`;

  function changeable(projectId: string, id: string): Result<UserSource, Refusal> {
    const source = shelf.get(projectId, id);
    if (source === null) return unknown(id);
    if (source.origin === 'api') return ok(source);
    const message = `user source ${id} is declared in the config file; change it there`;
    return err(refusal('resource.read_only', message, { field: 'id' }));
  }

  return {
    get: shelf.get,
    list: shelf.list,
    newId: () => newId('usrc', clock.now()),
    async create(draft) {
      const now = clock.iso();
      const source: UserSource = { ...draft, origin: 'api', createdAt: now, updatedAt: now };
      await store.insert(source);
      return ok(shelf.put(source));
    },
    async replace(projectId, id, draft) {
      const found = changeable(projectId, id);
      if (!found.ok) return found;
      const source: UserSource = { ...found.value, ...draft, updatedAt: clock.iso() };
      return (await store.update(source)) ? ok(shelf.put(source)) : unknown(id);
    },
    async remove(projectId, id) {
      const found = changeable(projectId, id);
      if (!found.ok) return found;
      await store.remove(found.value);
      shelf.drop(found.value);
      return found;
    },
    applyFile(projectId, sources) {
      const wanted = new Set(sources.map(({ id }) => id));
      for (const source of shelf.list(projectId))
        if (source.origin === 'file' && !wanted.has(source.id)) shelf.drop(source);
      for (const source of sources)
        if (!isDeepStrictEqual(shelf.get(projectId, source.id), source)) shelf.put(source);
    },
    redirectUri,
    test: (source) => reportOn(source, issuerOf(source), redirectUri(source.id)),
    preview: (source, userClaim) => previewOf(db, source, userClaim),
    ...createSignIn(issuerOf, clock),
    ...createIssuerTokens({ issuerOf, clock, fetcherOf: ({ origin }) => fetchers[origin] }),
    checkAssertion: createAssertionCheck(issuerOf, clock),
  };
}

function unknown(id: string) {
  return err(refusal('resource.unknown', `there is no user source ${id}`, { field: 'id' }));
}

function createShelf() {
  const byProject = new Map<string, Map<string, UserSource>>();

  function drop({ projectId, id }: UserSource): void {
    byProject.get(projectId)?.delete(id);
  }

  return {
    get: (projectId: string, id: string) => byProject.get(projectId)?.get(id) ?? null,
    list: (projectId: string): readonly UserSource[] => [...(byProject.get(projectId)?.values() ?? [])],
    put(source: UserSource): UserSource {
      const sources = byProject.get(source.projectId) ?? new Map<string, UserSource>();
      byProject.set(source.projectId, sources);
      sources.set(source.id, source);
      return source;
    },
    drop,
    /** Of those with this id, or all: what another replica has removed goes; what the file declares stays. */
    keepOnly(id: string | null, stored: readonly UserSource[]): void {
      const kept = new Set(stored.map((source) => JSON.stringify([source.projectId, source.id])));
      for (const sources of byProject.values())
        for (const source of [...sources.values()]) {
          const isMeant = source.origin === 'api' && (id === null || source.id === id);
          if (isMeant && !kept.has(JSON.stringify([source.projectId, source.id]))) drop(source);
        }
    },
  };
}

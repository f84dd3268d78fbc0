import { isDeepStrictEqual } from 'node:util';
import { type Gateway, type Refusal, refusal } from '#domain';
import { type Clock, createTurns, err, newId, ok, type Result } from '#foundation';
import type { Changes, Db } from '#storage';
import type { Vault } from '#vault';
import type { Catalog } from './contract.ts';
import { createGatewayStore, topic } from './gateway-store.ts';

type Shelf = Pick<
  Catalog,
  'gateways' | 'gateway' | 'slugAvailable' | 'createGateway' | 'updateGateway' | 'deleteGateway' | 'applyFile'
> & {
  bySlug(slug: string): Gateway | null;
  /** Slugs of a project's gateways. */
  slugs(projectId: string): string[];
};

/** Every gateway, from the API (kept in the database) and from the file. `onChange` gets the slugs concerned. */
export async function createGatewayShelf(
  { db, changes, vault, clock }: { db: Db; changes: Changes; vault: Vault; clock: Clock },
  onChange: (slugs: ReadonlySet<string>) => void,
): Promise<Shelf> {
  const store = createGatewayStore(db, changes, vault);
  const inTurn = createTurns();
  const memory = createGatewayMemory();

  changes.on(topic, (id) => inTurn(() => look(id)));
  await look(null);

  /** The API's, as they are in the database; this one, or all. */
  async function look(id: string | null): Promise<void> {
    const stored = new Map((await store.load(id)).map((gateway) => [gateway.id, gateway]));
    const gone = memory.ofApi(id).filter((known) => !stored.has(known.id));
    tell([
      ...gone.flatMap((gateway) => memory.put(gateway, null)),
      ...[...stored.values()].flatMap((gateway) => {
        const before = memory.ofApi(gateway.id)[0] ?? null;
        return before !== null && isSame(before, gateway) ? [] : memory.put(before, gateway);
      }),
    ]);
  }

  function tell(slugs: readonly string[]): void {
    if (slugs.length > 0) onChange(new Set(slugs));
  }

  /** As it is in the database, so that a change of one field takes back no change of another. */
  async function editable(projectId: string, id: string): Promise<Result<Gateway, Refusal>> {
    await look(id);
    const gateway = memory.reads.gateway(projectId, id);
    if (gateway === null)
      return err(refusal('resource.unknown', `there is no gateway ${id}`, { field: 'gateway_id' }));
    if (gateway.origin === 'api') return ok(gateway);
    const message = `gateway ${id} is declared in the config file; change it there`;
    return err(refusal('resource.read_only', message));
  }

  return {
    ...memory.reads,
    createGateway: (asked) =>
      inTurn(async () => {
        const now = clock.iso();
        const id = newId('gw', clock.now());
        const gateway: Gateway = { ...asked, id, origin: 'api', createdAt: now, updatedAt: now };
        if (!memory.reads.slugAvailable(asked.slug) || !(await store.insert(gateway)))
          return err(slugTaken(asked.slug));
        tell(memory.put(null, gateway));
        return ok(gateway);
      }),
    updateGateway: (projectId, id, change) =>
      inTurn(async () => {
        const found = await editable(projectId, id);
        if (!found.ok) return found;
        const before = found.value;
        const gateway: Gateway = { ...before, ...change, updatedAt: clock.iso() };
        const isTaken = gateway.slug !== before.slug && !memory.reads.slugAvailable(gateway.slug);
        if (isTaken || !(await store.update(gateway))) return err(slugTaken(gateway.slug));
        tell(memory.put(before, gateway));
        return ok(gateway);
      }),
    deleteGateway: (projectId, id) =>
      inTurn(async () => {
        const found = await editable(projectId, id);
        if (!found.ok) return found;
        await store.delete(id);
        tell(memory.put(found.value, null));
        return ok(undefined);
      }),
    applyFile: (gateways) => tell(memory.putFile(gateways)),
  };
}

/** What changes it returns the slugs concerned. */
function createGatewayMemory() {
  const fromApi = new Map<string, Gateway>();
  let fromFile = new Map<string, Gateway>();
  let bySlug: Map<string, Gateway> | null = null;

  function slugs(): Map<string, Gateway> {
    // A slug of the file wins over one that the API took before the file named it.
    bySlug ??= new Map([...fromApi.values(), ...fromFile.values()].map((gateway) => [gateway.slug, gateway]));
    return bySlug;
  }

  return {
    ofApi: (id: string | null): readonly Gateway[] =>
      id === null ? [...fromApi.values()] : [fromApi.get(id)].filter((gateway) => gateway !== undefined),
    put(before: Gateway | null, after: Gateway | null): readonly string[] {
      if (after !== null) fromApi.set(after.id, after);
      else if (before !== null) fromApi.delete(before.id);
      bySlug = null;
      return [before, after].flatMap((gateway) => gateway?.slug ?? []);
    },
    putFile(gateways: readonly Gateway[]): readonly string[] {
      const before = [...fromFile.values()];
      fromFile = new Map(gateways.map((gateway) => [gateway.id, gateway]));
      bySlug = null;
      return [...before, ...gateways].map(({ slug }) => slug);
    },
    reads: {
      gateways: (projectId: string) =>
        [...fromFile.values(), ...fromApi.values()].filter((gateway) => gateway.projectId === projectId),
      gateway(projectId: string, id: string): Gateway | null {
        const gateway = fromApi.get(id) ?? fromFile.get(id);
        return gateway?.projectId === projectId ? gateway : null;
      },
      bySlug: (slug: string) => slugs().get(slug) ?? null,
      slugs: (projectId: string) =>
        [...slugs().values()].filter((gateway) => gateway.projectId === projectId).map(({ slug }) => slug),
      slugAvailable: (slug: string) => !slugs().has(slug),
    },
  };
}

/** A member that is not there and one that is `undefined` are the same to whoever reads the database. */
function isSame(one: Gateway, other: Gateway): boolean {
  return isDeepStrictEqual(JSON.parse(JSON.stringify(one)), other);
}

function slugTaken(slug: string): Refusal {
  return refusal('resource.conflict', `slug "${slug}" is taken`, { field: 'slug' });
}

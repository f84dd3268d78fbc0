import { type Gateway, type Refusal, refusal } from '#domain';
import { type Clock, err, newId, ok, type Result } from '#foundation';
import type { Db } from '#storage';
import type { Vault } from '#vault';
import type { Catalog } from './contract.ts';
import { createGatewayStore } from './gateway-store.ts';

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
  { db, vault, clock }: { db: Db; vault: Vault; clock: Clock },
  onChange: (slugs: Iterable<string>) => void,
): Promise<Shelf> {
  const store = createGatewayStore(db, vault);
  const fromApi = new Map((await store.load()).map((gateway) => [gateway.id, gateway]));
  let fromFile = new Map<string, Gateway>();
  let bySlug = new Map<string, Gateway>();
  index();

  function index(): void {
    // A slug of the file wins over one that the API took before the file named it.
    bySlug = new Map([...fromApi.values(), ...fromFile.values()].map((gateway) => [gateway.slug, gateway]));
  }

  /** In memory first, so that two requests at once cannot both take a slug; taken back if the database refuses. */
  async function save(gateway: Gateway, before: Gateway | null): Promise<void> {
    fromApi.set(gateway.id, gateway);
    index();
    try {
      await store.save(gateway);
    } catch (error) {
      if (before === null) fromApi.delete(gateway.id);
      else fromApi.set(before.id, before);
      index();
      throw error;
    }
    onChange(new Set([gateway.slug, ...(before === null ? [] : [before.slug])]));
  }

  function find(projectId: string, id: string): Gateway | null {
    const gateway = fromApi.get(id) ?? fromFile.get(id);
    return gateway?.projectId === projectId ? gateway : null;
  }

  return {
    gateways: (projectId) =>
      [...fromFile.values(), ...fromApi.values()].filter((gateway) => gateway.projectId === projectId),
    gateway: find,
    bySlug: (slug) => bySlug.get(slug) ?? null,
    slugs: (projectId) =>
      [...bySlug.values()].filter((gateway) => gateway.projectId === projectId).map(({ slug }) => slug),
    slugAvailable: (slug) => !bySlug.has(slug),
    async createGateway(asked) {
      if (bySlug.has(asked.slug)) return err(slugTaken(asked.slug));
      const now = clock.iso();
      const id = newId('gw', clock.now());
      const gateway: Gateway = { ...asked, id, origin: 'api', createdAt: now, updatedAt: now };
      await save(gateway, null);
      return ok(gateway);
    },
    async updateGateway(projectId, id, change) {
      const found = editable(find(projectId, id), id);
      if (!found.ok) return found;
      const gateway: Gateway = { ...found.value, ...change, updatedAt: clock.iso() };
      if (gateway.slug !== found.value.slug && bySlug.has(gateway.slug)) return err(slugTaken(gateway.slug));
      await save(gateway, found.value);
      return ok(gateway);
    },
    async deleteGateway(projectId, id) {
      const found = editable(find(projectId, id), id);
      if (!found.ok) return found;
      await store.delete(id);
      fromApi.delete(id);
      index();
      onChange([found.value.slug]);
      return ok(undefined);
    },
    applyFile(gateways) {
      const before = [...fromFile.values()].map(({ slug }) => slug);
      fromFile = new Map(gateways.map((gateway) => [gateway.id, gateway]));
      index();
      onChange(new Set([...before, ...gateways.map(({ slug }) => slug)]));
    },
  };
}

function editable(gateway: Gateway | null, id: string): Result<Gateway, Refusal> {
  if (gateway === null)
    return err(refusal('resource.unknown', `there is no gateway ${id}`, { field: 'gateway_id' }));
  if (gateway.origin === 'file') {
    return err(
      refusal('resource.read_only', `gateway ${id} is declared in the config file; change it there`),
    );
  }
  return ok(gateway);
}

function slugTaken(slug: string): Refusal {
  return refusal('resource.conflict', `slug "${slug}" is taken`, { field: 'slug' });
}

import type { Gateway } from '#domain';
import { type Changes, type Db, sqlStateOf } from '#storage';
import { opened, type Vault } from '#vault';

/** As a version before sign-in kept it: with one user source, and what it did not act upon aside. */
type StoredGateway = Omit<Gateway, SignInField> &
  Partial<Pick<Gateway, SignInField>> & { userSourceId?: string | null };
type SignInField = 'userSourceIds' | 'toolScopes' | 'consentSkipClientIds';

function withSignIn({ userSourceId, ...stored }: StoredGateway): Gateway {
  const { consent_skip_client_ids: skipped, ...kept } = stored.kept;
  return {
    userSourceIds: userSourceId == null ? [] : [userSourceId],
    toolScopes: [],
    consentSkipClientIds: (skipped as string[] | undefined) ?? [],
    ...stored,
    kept,
  };
}

const purpose = 'gateway';
const uniqueViolation = '23505';

interface GatewayRow extends Record<string, unknown> {
  id: string;
  sealed: string;
}

export const topic = 'gateways';

/**
 * Definitions are sealed: one may hold the secret by which users are asserted. Every change is told to other replicas in its own
 * transaction.
 */
export function createGatewayStore(db: Db, changes: Changes, vault: Vault) {
  vault.keeps({ table: 'gateways', column: 'sealed' });

  async function gatewayOf({ id, sealed }: GatewayRow): Promise<Gateway> {
    return withSignIn(await opened(vault, { purpose, sealed, boundTo: id }, `the gateway ${id}`));
  }

  const write = (id: string, sql: string, params: readonly string[]) =>
    db.tx(async (queries) => {
      await queries.query(sql, params);
      await changes.tell(queries, topic, id);
    });

  async function uniquely(id: string, sql: string, params: readonly string[]): Promise<boolean> {
    try {
      await write(id, sql, params);
      return true;
    } catch (error) {
      if (sqlStateOf(error) === uniqueViolation) return false;
      throw error;
    }
  }

  return {
    /** The one with this id, or all; the oldest first. */
    async load(id: string | null): Promise<Gateway[]> {
      const boundTo = ([id]: readonly string[]) => id as string;
      await vault.adopt({ table: 'gateways', key: ['id'], plain: 'definition', purpose, boundTo });
      const rows = await db.query<GatewayRow>(
        'select id, sealed from gateways where $1::text is null or id = $1 order by created_at, id',
        [id],
      );
      return Promise.all(rows.map(gatewayOf));
    },

    /** False: another gateway has the slug. */
    async insert(gateway: Gateway): Promise<boolean> {
      const { id, projectId, slug, createdAt, updatedAt } = gateway;
      return uniquely(
        id,
        `insert into gateways (id, project_id, slug, definition, sealed, created_at, updated_at)
         values ($1, $2, $3, '{}', $4, $5, $6)`,
        [id, projectId, slug, vault.seal(purpose, gateway, id), createdAt, updatedAt],
      );
    },

    /** False: another gateway has the slug. */
    async update(gateway: Gateway): Promise<boolean> {
      const { id, slug, updatedAt } = gateway;
      return uniquely(
        id,
        `update gateways set slug = $2, definition = '{}', sealed = $3, updated_at = $4 where id = $1`,
        [id, slug, vault.seal(purpose, gateway, id), updatedAt],
      );
    },

    async delete(id: string): Promise<void> {
      await write(id, 'delete from gateways where id = $1', [id]);
    },
  };
}

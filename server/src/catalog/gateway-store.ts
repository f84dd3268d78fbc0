import type { Gateway } from '#domain';
import type { Db } from '#storage';
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

interface GatewayRow extends Record<string, unknown> {
  id: string;
  sealed: string;
}

/** Definitions are sealed: one may hold the secret by which users are asserted. */
export function createGatewayStore(db: Db, vault: Vault) {
  vault.keeps({ table: 'gateways', column: 'sealed' });

  async function gatewayOf({ id, sealed }: GatewayRow): Promise<Gateway> {
    return withSignIn(await opened(vault, { purpose, sealed, boundTo: id }, `the gateway ${id}`));
  }

  return {
    async load(): Promise<Gateway[]> {
      const boundTo = ([id]: readonly string[]) => id as string;
      await vault.adopt({ table: 'gateways', key: ['id'], plain: 'definition', purpose, boundTo });
      const rows = await db.query<GatewayRow>('select id, sealed from gateways order by created_at, id');
      return Promise.all(rows.map(gatewayOf));
    },

    async save(gateway: Gateway): Promise<void> {
      await db.query(
        `insert into gateways (id, project_id, slug, definition, sealed, created_at, updated_at)
         values ($1, $2, $3, '{}', $4, $5, $6)
         on conflict (id) do update
         set slug = excluded.slug, definition = '{}', sealed = excluded.sealed, updated_at = excluded.updated_at`,
        [
          gateway.id,
          gateway.projectId,
          gateway.slug,
          vault.seal(purpose, gateway, gateway.id),
          gateway.createdAt,
          gateway.updatedAt,
        ],
      );
    },

    async delete(id: string): Promise<void> {
      await db.query('delete from gateways where id = $1', [id]);
    },
  };
}

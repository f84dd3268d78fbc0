import type { Gateway } from '#domain';
import type { Db } from '#storage';

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

export function createGatewayStore(db: Db) {
  return {
    async load(): Promise<Gateway[]> {
      const rows = await db.query<{ definition: StoredGateway }>(
        'select definition from gateways order by created_at, id',
      );
      return rows.map((row) => withSignIn(row.definition));
    },

    async save(gateway: Gateway): Promise<void> {
      await db.query(
        `insert into gateways (id, project_id, slug, definition, created_at, updated_at)
         values ($1, $2, $3, $4::jsonb, $5, $6)
         on conflict (id) do update set slug = excluded.slug, definition = excluded.definition, updated_at = excluded.updated_at`,
        [
          gateway.id,
          gateway.projectId,
          gateway.slug,
          JSON.stringify(gateway),
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

import type { Clock } from '#foundation';
import type { Changes, Db } from '#storage';
import type { Consents } from './contract.ts';

interface ConsentRow extends Record<string, unknown> {
  client_id: string;
  gateway_id: string;
  scopes: string[];
  created_at: string;
}

export interface ConsentsDeps {
  readonly db: Db;
  readonly changes: Changes;
  readonly clock: Clock;
}

export function createConsents({ db, changes, clock }: ConsentsDeps): Consents {
  return {
    async of(personId, clientId, gatewayId) {
      const [row] = await db.query<ConsentRow>(
        'select scopes from consents where person_id = $1 and client_id = $2 and gateway_id = $3',
        [personId, clientId, gatewayId],
      );
      return row?.scopes ?? [];
    },

    async give(personId, clientId, gatewayId, scopes) {
      await db.tx(async (queries) => {
        const key = [personId, clientId, gatewayId];
        await queries.query(
          `insert into consents (person_id, client_id, gateway_id, scopes, created_at) values ($1, $2, $3, '[]'::json, $4)
           on conflict do nothing`,
          [...key, clock.iso()],
        );
        const [row] = await queries.query<ConsentRow>(
          'select scopes from consents where person_id = $1 and client_id = $2 and gateway_id = $3 for update',
          key,
        );
        const allowed = [...new Set([...(row?.scopes ?? []), ...scopes])];
        await queries.query(
          'update consents set scopes = $4::json where person_id = $1 and client_id = $2 and gateway_id = $3',
          [...key, JSON.stringify(allowed)],
        );
      });
    },

    async list(personId) {
      const rows = await db.query<ConsentRow>(
        'select client_id, gateway_id, scopes, created_at from consents where person_id = $1 order by created_at',
        [personId],
      );
      return rows.map(({ client_id, gateway_id, scopes, created_at }) => ({
        clientId: client_id,
        gatewayId: gateway_id,
        scopes,
        createdAt: created_at,
      }));
    },

    async withdraw(personId, clientId, gatewayId) {
      const ended = await db.tx(async (queries) => {
        const removed = await queries.query(
          `delete from consents where person_id = $1 and client_id = $2 and gateway_id = $3 returning client_id`,
          [personId, clientId, gatewayId],
        );
        if (removed.length === 0) return null;
        const grants = await queries.query<{ id: string }>(
          `delete from oauth_records where model = 'Grant' and client_id = $2 and gateway_id = $3
             and sign_in_id in (select id from sign_ins where person_id = $1)
           returning id`,
          [personId, clientId, gatewayId],
        );
        for (const { id } of grants) {
          await queries.query('delete from oauth_records where grant_id = $1', [id]);
          await changes.tell(queries, 'grants', id);
        }
        return grants.map(({ id }) => id);
      });
      for (const id of ended ?? []) await changes.here('grants', id);
      return ended !== null;
    },
  };
}

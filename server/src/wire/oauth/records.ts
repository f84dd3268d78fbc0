import { hash } from 'node:crypto';
import { type Adapter, type AdapterPayload, errors } from 'oidc-provider';
import { type Clock, randomHex } from '#foundation';
import type { Changes, Db, Queries } from '#storage';
import { createRoom } from './room-for-records.ts';

/** What their ids are is no secret: others name them by it. */
const namedModels = new Set(['Client', 'Grant']);

const unusedClientMs = 24 * 3_600_000;
const usedClientMs = 90 * 24 * 3_600_000;

/** What is used once is not replaced, however many come with it at the same time. */
const replace = `do update set payload = excluded.payload, grant_id = excluded.grant_id,
  user_code = excluded.user_code, sign_in_id = excluded.sign_in_id, expires_at = excluded.expires_at`;

interface RecordRow extends Record<string, unknown> {
  payload: AdapterPayload;
  consumed_at: string | null;
}

export interface RecordsDeps {
  readonly db: Db;
  readonly changes: Changes;
  readonly clock: Clock;
  /** `''`: the API. */
  readonly gatewayIdOf: (resource: string) => string;
}

/** What the library keeps, in our database. A credential is found by its digest alone. */
export function createRecords({ db, changes, clock, gatewayIdOf }: RecordsDeps) {
  const makeRoom = createRoom(db);
  const inMs = (ms: number) => new Date(clock.now() + ms).toISOString();

  async function upsert(
    model: string,
    id: string,
    payload: AdapterPayload,
    expiresIn: number | undefined,
  ): Promise<void> {
    await makeRoom(model);
    const rows = await db.query(
      `insert into oauth_records
         (model, id, payload, grant_id, uid, user_code, sign_in_id, client_id, gateway_id, expires_at)
       values ($1, $2, $3::json, $4, $5, $6, $7, $8, $9, $10)
       on conflict (model, id) ${model === 'ReplayDetection' ? 'do nothing' : replace} returning id`,
      [
        ...valuesOf(model, id, payload),
        ...(model === 'Grant' ? [payload.clientId, namedBy(payload)] : [null, null]),
        inMs(expiresIn === undefined ? unusedClientMs : expiresIn * 1000),
      ],
    );
    if (rows.length === 0)
      throw new errors.InvalidClientAuth('client assertion tokens must only be used once');
  }

  const namedBy = ({ resources }: AdapterPayload) => gatewayIdOf(Object.keys(resources ?? {})[0] ?? '');

  async function find(model: string, where: string, value: string, id: string | null) {
    const [row] = await db.query<RecordRow & { id: string }>(
      `select id, payload, consumed_at from oauth_records
       where model = $1 and ${where} = $2 and (model <> 'Client' or expires_at > $3)`,
      [model, value, clock.iso()],
    );
    if (row === undefined) return undefined;
    const { payload, consumed_at } = row;
    if (model === 'Client') return payload;
    return {
      ...payload,
      jti: id ?? known(row.id),
      ...(consumed_at === null ? {} : { consumed: Math.floor(Date.parse(consumed_at) / 1000) }),
    };
  }

  /** A grant, and all that came of it; told, so that its access tokens end, too. */
  async function endGrant(grantId: string): Promise<void> {
    await db.tx(async (queries: Queries) => {
      await queries.query(`delete from oauth_records where grant_id = $1 or (model = 'Grant' and id = $1)`, [
        grantId,
      ]);
      await changes.tell(queries, 'grants', grantId);
    });
    await changes.here('grants', grantId);
  }

  /** Of several that bring the same at the same time, one gets it; the others end all that came of it. */
  async function consume(model: string, id: string): Promise<void> {
    const [won] = await db.query(
      'update oauth_records set consumed_at = $3 where model = $1 and id = $2 and consumed_at is null returning id',
      [model, id, clock.iso()],
    );
    if (won !== undefined) return;
    const [lost] = await db.query<{ grant_id: string | null }>(
      'select grant_id from oauth_records where model = $1 and id = $2',
      [model, id],
    );
    if (typeof lost?.grant_id === 'string') await endGrant(lost.grant_id);
    throw new errors.InvalidGrant('it was used already');
  }

  return {
    /** A registration that is used is kept for longer. */
    async clientUsed(id: string): Promise<void> {
      await db.query(
        `update oauth_records set expires_at = $2, consumed_at = $3
         where model = 'Client' and id = $1 and (consumed_at is null or consumed_at < $4)`,
        [id, inMs(usedClientMs), clock.iso(), inMs(-unusedClientMs)],
      );
    },
    /** That a grant is for; `''`: the API; `null`: there is no such grant. */
    gatewayOf: (grantId: string) => gatewayOf(db, grantId),
    adapter: (model: string): Adapter => ({
      upsert: (id, payload, expiresIn) => upsert(model, id, payload, expiresIn),
      find: (id) => find(model, 'id', keptId(model, id), id),
      findByUid: (uid) => find(model, 'uid', uid, null),
      findByUserCode: (userCode) => find(model, 'user_code', userCode, null),
      consume: (id) => consume(model, keptId(model, id)),
      async destroy(id) {
        if (model === 'Grant') return await endGrant(id);
        await db.query('delete from oauth_records where model = $1 and id = $2', [model, keptId(model, id)]);
      },
      async revokeByGrantId(grantId) {
        await db.query('delete from oauth_records where model = $1 and grant_id = $2', [model, grantId]);
      },
    }),
  };
}

async function gatewayOf(db: Db, grantId: string): Promise<string | null> {
  const [row] = await db.query<{ gateway_id: string | null }>(
    `select gateway_id from oauth_records where model = 'Grant' and id = $1`,
    [grantId],
  );
  return row?.gateway_id ?? null;
}

function valuesOf(model: string, id: string, payload: AdapterPayload): readonly unknown[] {
  const { grantId = null, uid = null, userCode = null, accountId = null } = payload;
  return [
    model,
    keptId(model, id),
    JSON.stringify(keptPayload(model, payload)),
    grantId,
    uid,
    userCode,
    accountId,
  ];
}

export type Records = ReturnType<typeof createRecords>;

export function digestOf(text: string): string {
  return hash('sha256', text, 'hex');
}

/** Where only the digest is known, it stands for the id within this process; nobody outside can say it. */
const knownMark = `#${randomHex(16)}#`;
const known = (digest: string) => knownMark + digest;

function keptId(model: string, id: string): string {
  if (namedModels.has(model)) return id;
  return id.startsWith(knownMark) ? id.slice(knownMark.length) : digestOf(id);
}

function keptPayload(model: string, { jti: _, ...payload }: AdapterPayload): object {
  if (model !== 'Client') return payload;
  const { client_secret: secret } = payload;
  return typeof secret === 'string' ? { ...payload, client_secret: digestOf(secret) } : payload;
}

import type { Db } from '#storage';

/** How many of a model that anybody can make us keep are kept; then the oldest that nobody used go. */
const maxUnused: Readonly<Record<string, number>> = {
  Client: 10_000,
  Interaction: 20_000,
  DeviceCode: 10_000,
  ReplayDetection: 100_000,
};
/** Counting is not needed each time. */
const countEvery = 100;

/** To be called before one more of a model is kept. */
export function createRoom(db: Db): (model: string) => Promise<void> {
  const made = new Map<string, number>();
  return async (model) => {
    const most = maxUnused[model];
    const count = made.get(model) ?? 0;
    made.set(model, count + 1);
    if (most === undefined || count % countEvery !== 0) return;
    await db.query(
      `delete from oauth_records where model = $1 and id in (
         select id from oauth_records where model = $1 and consumed_at is null order by expires_at desc offset $2)`,
      [model, most],
    );
  };
}

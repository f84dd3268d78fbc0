import type { Clock } from '#foundation';
import { type Db, sqlStateOf } from '#storage';
import type { Metrics } from '#telemetry';

/** The database, with the time that its answers take. */
export function observedDb(db: Db, metrics: Metrics, clock: Clock): Db {
  const times = metrics.histogram({
    name: 'sallyport_database_duration_seconds',
    help: 'What the database took to answer, waiting for a connection included.',
    labels: ['operation', 'outcome'],
  });

  async function timed<T>(operation: string, work: () => Promise<T>): Promise<T> {
    const startedAt = clock.monotonic();
    let outcome = 'answered';
    try {
      return await work();
    } catch (error) {
      outcome = outcomeOf(error);
      throw error;
    } finally {
      times.of(operation, outcome).observe(clock.monotonic() - startedAt);
    }
  }

  return {
    ...db,
    query: (sql, params) => timed('query', () => db.query(sql, params)),
    tx: (work) => timed('transaction', () => db.tx(work)),
    append: (rows) => timed('append', () => db.append(rows)),
    ping: () => timed('ping', () => db.ping()),
  };
}

/** What is there already, or was changed by somebody else meanwhile, is an answer. */
function outcomeOf(error: unknown): 'answered' | 'failed' {
  const state = sqlStateOf(error);
  return state !== null && /^(?:23|40)/.test(state) ? 'answered' : 'failed';
}

import { existsSync, readdirSync } from 'node:fs';
import { createAudit } from '#audit';
import { type Clock, messageOf } from '#foundation';
import type { Db } from '#storage';
import type { Log } from '#telemetry';
import { laneDir, lanesDir } from './among.ts';

export interface LeftDeps {
  readonly dataDir: string;
  readonly db: Db;
  readonly clock: Clock;
  readonly log: Log;
}

/** Brings what lanes that are gone left in their journals into the database; none may be there, or about to be. */
export async function drainAllLeft(deps: LeftDeps): Promise<void> {
  const directory = lanesDir(deps.dataDir);
  const names = existsSync(directory) ? readdirSync(directory) : [];
  const numbers = names.filter((name) => /^\d{1,2}$/.test(name)).map(Number);
  await Promise.all(numbers.map((number) => drainLeft(number, deps)));
}

/** Of one lane. */
export async function drainLeft(number: number, { dataDir, db, clock, log }: LeftDeps): Promise<void> {
  const dir = laneDir(dataDir, number);
  if (!existsSync(dir)) return;
  try {
    const left = await createAudit({ dir, db, clock, log, durability: 'relaxed' });
    await left.close();
  } catch (error) {
    log.warn({ error: messageOf(error) }, 'audit records of a lane stay in its journal until the next start');
  }
}

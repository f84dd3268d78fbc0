import type { Clock } from '#foundation';
import type { Changes, Db, Queries } from '#storage';
import { lockOrganization } from '../people/change-person.ts';
import type { People } from '../people/contract.ts';
import type { SignIns } from '../sign-ins/contract.ts';

export interface DirectoryDeps {
  readonly db: Db;
  readonly changes: Changes;
  readonly clock: Clock;
  readonly people: Pick<People, 'refresh'>;
  readonly signIns: Pick<SignIns, 'endAllOf'>;
}

const topic = 'directory';
/** People that are looked at at once, and that one message to other replicas names: calls go on between them. */
const together = 500;

/** Whose standing a change may have changed. */
export type Concerns = (personIds: Iterable<string>) => void;

/** Looks again at whom other replicas name. After a long silence people look at everybody by themselves. */
export function hearChanges({ changes, people }: DirectoryDeps): void {
  changes.on(topic, (ids) => (ids === null ? undefined : people.refresh(ids.split(' '))));
}

/** Changes the organisation's directory, one change after another. Those whose standing changed are known when it returns. */
export async function changeDirectory<T>(
  { db, changes, people }: DirectoryDeps,
  organizationId: string,
  work: (queries: Queries, concerns: Concerns) => Promise<T>,
): Promise<T> {
  const concerned = new Set<string>();
  const done = await db.tx(async (queries) => {
    await lockOrganization(queries, organizationId);
    const made = await work(queries, (ids) => {
      for (const id of ids) concerned.add(id);
    });
    for (const ids of inParts(concerned)) await changes.tell(queries, topic, ids.join(' '));
    return made;
  });
  for (const ids of inParts(concerned)) await people.refresh(ids);
  return done;
}

function* inParts(personIds: Iterable<string>): Iterable<readonly string[]> {
  const ids = [...personIds];
  for (let at = 0; at < ids.length; at += together) yield ids.slice(at, at + together);
}

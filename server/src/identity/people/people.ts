import { refusal } from '#domain';
import { type Clock, err, newId, ok } from '#foundation';
import type { Changes, Db } from '#storage';
import { type ChangePerson, changePersonWith } from './change-person.ts';
import type { People } from './contract.ts';
import { createLinks } from './links.ts';
import { canSpareOwner, createMemberships } from './memberships.ts';
import { findPerson, identitiesOf, listPersons, personFrom } from './persons.ts';
import { createPlaces } from './places.ts';
import { keepSignIn, personRow } from './signed-in.ts';
import { createStandings } from './standings.ts';

export interface PeopleDeps {
  readonly db: Db;
  readonly changes: Changes;
  readonly clock: Clock;
  readonly endSignIns: (personId: string) => Promise<unknown>;
}

/** Loads who may do what where; the rest is read from the database when it is asked for. */
export async function createPeople(deps: PeopleDeps): Promise<People> {
  const { db, changes } = deps;
  const places = await createPlaces(deps);
  const standings = createStandings(db, (projectId) => places.project(projectId)?.organizationId ?? null);
  changes.on('people', (personId) => standings.refresh(personId === null ? null : [personId]));
  await standings.refresh(null);
  const change = changePersonWith({ db, changes, refresh: standings.refresh });
  return {
    ...places,
    ...createLinks(deps),
    ...createPersons(deps, change),
    ...createMemberships({ ...deps, change }),
    signedIn: signedInWith(deps, standings.refresh),
    standing: standings.get,
    standingOf: standings.find,
    refresh: standings.refresh,
  };
}

function signedInWith(
  { db, changes, clock, endSignIns }: PeopleDeps,
  refresh: People['refresh'],
): People['signedIn'] {
  return async (said) => {
    const at = clock.iso();
    const kept = await db.tx(async (queries) => {
      const signIn = await keepSignIn(queries, said, { at, newId: newId('usr', clock.now()) });
      if (!signIn.ok) return signIn;
      const { personId, isNewIssuer, dispossessed } = signIn.value;
      for (const id of [personId, ...dispossessed]) await changes.tell(queries, 'people', id);
      return ok({ isNewIssuer, dispossessed, person: personFrom(await personRow(queries, personId)) });
    });
    if (!kept.ok) return kept;
    const { person, isNewIssuer, dispossessed } = kept.value;
    await refresh([person.id, ...dispossessed]);
    if (isNewIssuer) await endSignIns(person.id);
    return ok(person);
  };
}

type Persons = Pick<People, 'person' | 'list' | 'identities' | 'setActive' | 'rename'>;

function createPersons({ db, clock }: PeopleDeps, change: ChangePerson): Persons {
  const unknown = (id: string) =>
    err(refusal('resource.unknown', `there is no person ${id}`, { field: 'id' }));
  return {
    async person(organizationId, id) {
      const row = await findPerson(db, organizationId, id);
      return row === null ? null : personFrom(row);
    },

    list: (organizationId, page) => listPersons(db, organizationId, page),

    identities: (personId) => identitiesOf(db, personId),

    setActive: (organizationId, id, active) =>
      change(organizationId, id, async (queries) => {
        const person = await findPerson(queries, organizationId, id);
        if (person === null) return unknown(id);
        const spared = active ? ok(undefined) : await canSpareOwner(queries, organizationId, id);
        if (!spared.ok) return spared;
        const sql = 'update people set active = $2, updated_at = $3 where id = $1';
        await queries.query(sql, [id, active, clock.iso()]);
        return ok(personFrom({ ...person, active }));
      }),

    rename: (organizationId, id, name) =>
      change(organizationId, id, async (queries) => {
        const person = await findPerson(queries, organizationId, id);
        if (person === null) return unknown(id);
        const sql = 'update people set name = $2, updated_at = $3 where id = $1';
        await queries.query(sql, [id, name, clock.iso()]);
        return ok(personFrom({ ...person, name }));
      }),
  };
}

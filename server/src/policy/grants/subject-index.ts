import type { GrantRequest, SubjectSelector } from '@sallyport/contracts';
import type { Subject } from '#domain';
import { createSubjectGrants, type SubjectGrants } from './subject-grants.ts';

/** The grants of one project, by whom they speak of. */
export interface SubjectIndex {
  add(grantId: string, definition: GrantRequest): void;
  remove(grantId: string, definition: GrantRequest): void;
  /** All that speak of this subject. */
  of(subject: Subject): readonly SubjectGrants[];
  claimNames(): ReadonlySet<string>;
}

/** Each kind of subject has a shelf of its own, so that no user is mistaken for a group, nor one claim for another. */
type Shelf = Map<unknown, SubjectGrants>;

export function createSubjectIndex(): SubjectIndex {
  const everyone: Shelf = new Map();
  const users: Shelf = new Map();
  const groups: Shelf = new Map();
  const claims = new Map<string, Shelf>();
  let claimNames: ReadonlySet<string> = new Set();
  let made = 0;

  function placeOf(selector: SubjectSelector): { shelf: Shelf; key: unknown } {
    if ('user' in selector) return { shelf: users, key: selector.user };
    if ('group' in selector) return { shelf: groups, key: selector.group };
    if ('everyone' in selector) return { shelf: everyone, key: true };
    const { name, value } = selector.claim;
    return { shelf: claimShelf(name), key: value };
  }

  function claimShelf(name: string): Shelf {
    let shelf = claims.get(name);
    if (shelf === undefined) {
      shelf = new Map();
      claims.set(name, shelf);
      claimNames = new Set(claims.keys());
    }
    return shelf;
  }

  return {
    add(grantId, definition) {
      const { shelf, key } = placeOf(definition.subject);
      const grants = shelf.get(key) ?? createSubjectGrants(made++);
      shelf.set(key, grants);
      grants.add(grantId, definition);
    },
    remove(grantId, definition) {
      const { subject } = definition;
      const { shelf, key } = placeOf(subject);
      const grants = shelf.get(key);
      grants?.remove(grantId, definition);
      if (grants?.isEmpty() === true) shelf.delete(key);
      if (!('claim' in subject) || shelf.size > 0) return;
      claims.delete(subject.claim.name);
      claimNames = new Set(claims.keys());
    },
    of(subject) {
      const found: SubjectGrants[] = [];
      const take = (shelf: Shelf, key: unknown) => {
        const grants = shelf.get(key);
        if (grants !== undefined) found.push(grants);
      };
      if (subject.userId !== null) take(users, subject.userId);
      for (const group of subject.groups) take(groups, group);
      for (const [name, shelf] of claims) {
        if (!Object.hasOwn(subject.claims, name)) continue;
        const held = subject.claims[name];
        for (const value of Array.isArray(held) ? held : [held]) take(shelf, value);
      }
      take(everyone, true);
      return found;
    },
    claimNames: () => claimNames,
  };
}

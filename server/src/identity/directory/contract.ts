import type { Refusal } from '#domain';
import type { Result } from '#foundation';
import type { Condition, Field } from './condition.ts';

/** What a directory says of a person. */
export interface UserContent {
  readonly userName: string;
  readonly externalId: string | null;
  readonly active: boolean;
  /** In lower case; `''` where the directory says none. */
  readonly email: string;
  readonly name: string;
  /** All that is kept and given back, in the directory's words: the three above included, `active` not. */
  readonly attributes: { readonly [name: string]: unknown };
}

/** A person as the directory provisions them. */
export interface DirectoryUser {
  /** Of the person: `usr_…`. */
  readonly id: string;
  readonly active: boolean;
  readonly attributes: { readonly [name: string]: unknown };
  readonly createdAt: string;
  readonly updatedAt: string;
}

export interface GroupContent {
  readonly displayName: string;
  readonly externalId: string | null;
}

export interface DirectoryGroup extends GroupContent {
  /** `grp_…` */
  readonly id: string;
  /** Another one after every change, of members too. */
  readonly version: number;
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** One side of a membership: the group of a user, or the member of a group. */
export interface Related {
  readonly id: string;
  readonly name: string;
}

/** Who is in a group afterwards: those who were (`keep`), and those added; none of those removed. */
export interface MemberChange {
  readonly keep: boolean;
  readonly add: ReadonlySet<string>;
  readonly remove: ReadonlySet<string>;
}

export interface GroupChange extends GroupContent {
  readonly members: MemberChange | null;
}

/** A change that was made, and whom it took in and out. */
export interface GroupChanged {
  readonly group: DirectoryGroup;
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

export interface Search {
  readonly where: Condition | null;
  readonly orderBy: Field | null;
  readonly descending: boolean;
  readonly offset: number;
  /** `0`: only how many there are. */
  readonly limit: number;
}

export interface Found<T> {
  readonly items: readonly T[];
  readonly total: number;
}

/**
 * People and groups as a company's directory keeps them (SCIM). A user is a person: one who signed in, or was invited, before
 * is taken over by address. In an organisation no two users have the same name, no two people the same address, and no two
 * groups the same name, in whatever case. Whatever changes is in everybody's standing before a change returns, and is told to
 * other replicas. Whoever is not active any more is signed out everywhere.
 */
export interface Directory {
  user(organizationId: string, id: string): Promise<DirectoryUser | null>;
  users(organizationId: string, search: Search): Promise<Found<DirectoryUser>>;
  /** Groups of these users, in one round trip. */
  groupsOf(userIds: readonly string[]): Promise<ReadonlyMap<string, readonly Related[]>>;
  /** `resource.conflict` with the field. */
  createUser(organizationId: string, content: UserContent): Promise<Result<DirectoryUser, Refusal>>;
  /** `make` sees the user as nobody else can change it meanwhile. `null`: there is none. */
  changeUser<E>(
    organizationId: string,
    id: string,
    make: (now: DirectoryUser) => Result<UserContent, E>,
  ): Promise<Result<DirectoryUser, E | Refusal> | null>;
  /** The person stays, deactivated, and the directory knows them no more. `check` may refuse. */
  removeUser<E>(
    organizationId: string,
    id: string,
    check: (now: DirectoryUser) => Result<void, E>,
  ): Promise<Result<void, E> | null>;

  group(organizationId: string, id: string): Promise<DirectoryGroup | null>;
  /** A page ends early where its groups have very many members, if members are wanted. */
  groups(organizationId: string, search: Search, withMembers: boolean): Promise<Found<DirectoryGroup>>;
  /** Members of these groups, in one round trip. */
  membersOf(groupIds: readonly string[]): Promise<ReadonlyMap<string, readonly Related[]>>;
  createGroup(
    organizationId: string,
    content: GroupContent,
    members: ReadonlySet<string>,
  ): Promise<Result<GroupChanged, Refusal>>;
  changeGroup<E>(
    organizationId: string,
    id: string,
    make: (now: DirectoryGroup) => Result<GroupChange, E>,
  ): Promise<Result<GroupChanged, E | Refusal> | null>;
  removeGroup<E>(
    organizationId: string,
    id: string,
    check: (now: DirectoryGroup) => Result<void, E>,
  ): Promise<Result<void, E> | null>;
}

import type { Refusal, Role } from '#domain';
import type { Result } from '#foundation';

export interface Organization {
  readonly id: string;
  readonly name: string;
  readonly createdAt: string;
}

export interface Project {
  readonly id: string;
  readonly organizationId: string;
  readonly name: string;
  readonly createdAt: string;
}

/** Somebody who signed in, was invited or was provisioned. */
export interface Person {
  /** `usr_…` */
  readonly id: string;
  readonly organizationId: string;
  /** In lower case; `''` where the issuer gives none. */
  readonly email: string;
  readonly name: string;
  readonly active: boolean;
  readonly createdAt: string;
  readonly lastSignInAt: string | null;
}

/**
 * What must be known of a person on every request. Immutable: a change of the person, their memberships or groups makes
 * another object, so whoever keeps one can tell by identity whether it is still true.
 */
export interface Standing {
  readonly personId: string;
  readonly organizationId: string;
  readonly email: string;
  readonly name: string;
  readonly active: boolean;
  /** Names of the groups that a directory provisions (SCIM). */
  readonly groups: readonly string[];
  /**
   * In the project, by membership there or in the whole organisation: the greater of both; `null`: no member, or a project of
   * another organisation. `''`: in the whole organisation.
   */
  roleIn(projectId: string): Role | null;
}

/** By what somebody came in. */
export interface PersonIdentity {
  readonly issuer: string;
  /** Of the source, or of the link: `''` where that is of the whole organisation. */
  readonly projectId: string;
  readonly sourceId: string;
  readonly userId: string;
  readonly seenAt: string;
}

/** Who an issuer, or a link, says that somebody is. */
export interface SaidOfPerson {
  readonly issuer: string;
  readonly subject: string;
  /** What the source's user claim says. */
  readonly userId: string;
  /** `''` where the issuer gives none, or does not vouch for it. */
  readonly email: string;
  readonly name: string;
  readonly groups: readonly string[];
  readonly claims: { readonly [name: string]: unknown };
}

/** The same, and where they sign in. */
export interface SignedInPerson extends SaidOfPerson {
  readonly organizationId: string;
  /** Of the source, whose id says nothing by itself, or of the link: `''` where that is of the whole organisation. */
  readonly projectId: string;
  /** `''`, with the issuer `link`, where a link vouches for the e-mail address alone. */
  readonly sourceId: string;
}

/** A link that works once. */
export interface Link {
  readonly id: string;
  readonly kind: 'invitation' | 'sign_in';
  readonly organizationId: string;
  /** `''`: the whole organisation. */
  readonly projectId: string;
  readonly email: string;
  readonly role: Role;
  /** Who made it; `null`: the server itself. */
  readonly createdBy: string | null;
  readonly createdAt: string;
  readonly expiresAt: string;
  readonly usedAt: string | null;
}

/**
 * Who there is, and what they may do where. Standings, organisations and projects are in memory, the rest in the database;
 * every change is written first, then remembered, then told to other replicas (`changes`, topics `people` and `projects`).
 */
export interface People {
  /** Of memory: takes no database round trip. `null`: there is no such person. */
  standing(personId: string): Standing | null;
  /** The person whom this user id names in this organisation: by e-mail, provisioned name or a sign-in. Of memory. */
  standingOf(organizationId: string, userId: string): Standing | null;
  /** Looks at them again: for who writes people and their groups in the database, after `changes.tell(…, 'people', id)`. */
  refresh(personIds: readonly string[]): Promise<void>;

  organizations(): readonly Organization[];
  organization(id: string): Organization | null;
  projects(organizationId: string): readonly Project[];
  project(id: string): Project | null;
  createOrganization(name: string): Promise<Organization>;
  createProject(organizationId: string, name: string): Promise<Project>;
  renameOrganization(id: string, name: string): Promise<Result<Organization, Refusal>>;
  renameProject(id: string, name: string): Promise<Result<Project, Refusal>>;

  person(organizationId: string, id: string): Promise<Person | null>;
  list(
    organizationId: string,
    page: {
      readonly limit: number;
      readonly offset: number;
      readonly email?: string;
      /** Only those with a role there, or who came in by one of its sources. */
      readonly projectId?: string;
    },
  ): Promise<{ readonly items: readonly Person[]; readonly total: number }>;
  identities(personId: string): Promise<readonly PersonIdentity[]>;
  /**
   * The person of a sign-in: found by issuer and subject, else, where the issuer vouches for it, by an e-mail address that no
   * other identity of this issuer has, else made. Keeps what was said, and accepts the invitations of that address.
   * `identity.deactivated` where they are not active. A person whose address another one holds has the e-mail `''`.
   */
  signedIn(said: SignedInPerson): Promise<Result<Person, Refusal>>;
  /** Ends nothing by itself; whoever holds a `Standing` sees it. */
  setActive(organizationId: string, id: string, active: boolean): Promise<Result<Person, Refusal>>;
  rename(organizationId: string, id: string, name: string): Promise<Result<Person, Refusal>>;

  /**
   * `null` takes the membership away. Refuses to take the last owner from an organisation. `projectId` `''`: in the whole
   * organisation; only there is anybody an owner.
   */
  setRole(
    personId: string,
    place: { readonly organizationId: string; readonly projectId: string },
    role: Role | null,
  ): Promise<Result<void, Refusal>>;
  memberships(
    personId: string,
  ): Promise<readonly { readonly organizationId: string; readonly projectId: string; readonly role: Role }[]>;
  hasOwner(organizationId: string): Promise<boolean>;
  /** Makes them the owner of an organisation that has none: of two at the same time one wins. Whether they became it. */
  becomeFirstOwner(organizationId: string, personId: string): Promise<boolean>;

  /** Makes a link; its token is nowhere else. */
  createLink(
    link: Omit<Link, 'id' | 'createdAt' | 'createdBy' | 'usedAt'>,
    createdBy: string | null,
  ): Promise<{ readonly link: Link; readonly token: string }>;
  links(organizationId: string): Promise<readonly Link[]>;
  removeLink(organizationId: string, id: string): Promise<boolean>;
  /**
   * What a link is for, without using it up; `null` where it is unknown, used or too old. One that a person or a key made does
   * not open either for an address whose owner has signed in at an issuer meanwhile, or has a greater role than it gives,
   * or one in another project; nor one whose maker is not active any more.
   */
  linkOf(token: string): Promise<Link | null>;
  /** Uses it up: of two at the same time one wins. */
  redeem(token: string): Promise<Link | null>;
}

import type { GlobSet } from './glob.ts';

/** What an API key is for. `approve`: decide over calls that wait for approval; `provision`: keep people and groups of the whole organisation (SCIM). `admin` includes all others but that. */
export type Scope = 'admin' | 'read' | 'call' | 'approve' | 'provision';

/** What a person is in a project, or in all projects of an organisation. */
export const roles = ['owner', 'admin', 'editor', 'auditor', 'member'] as const;
export type Role = (typeof roles)[number];

/**
 * What an operation takes. `read`: look at tools, gateways and workers; `inspect`: at policies; `audit`: at the log book;
 * `configure`: change gateways, workers and policies; `administer`: keys, people and sign-ins of a project; `provision`: say who
 * is whom in the organisation; `own`: change it, its projects and owners.
 */
export type Permission =
  | 'call'
  | 'read'
  | 'approve'
  | 'inspect'
  | 'audit'
  | 'configure'
  | 'administer'
  | 'provision'
  | 'own';

const administrator = [
  'call',
  'read',
  'approve',
  'inspect',
  'audit',
  'configure',
  'administer',
] as const satisfies readonly Permission[];

export const permissionsOfScope: Readonly<Record<Scope, readonly Permission[]>> = {
  admin: administrator,
  read: ['read'],
  call: ['call'],
  approve: ['approve'],
  provision: ['provision'],
};

export const permissionsOfRole: Readonly<Record<Role, readonly Permission[]>> = {
  owner: [...administrator, 'provision', 'own'],
  admin: administrator,
  editor: ['call', 'read', 'approve', 'inspect', 'configure'],
  auditor: ['read', 'inspect', 'audit'],
  member: ['call', 'read'],
};

/** Who presented the credential. Restrictions that are `null` do not restrict. */
export interface Principal {
  readonly kind: 'api_key' | 'person' | 'service_account';
  /** `key_…`, `usr_…` or `svc_…`; written in audit records, never the credential itself. */
  readonly id: string;
  readonly name: string;
  readonly projectId: string;
  readonly permissions: ReadonlySet<Permission>;
  /** Whom it may act for: a person only for themselves. */
  readonly users: GlobSet | null;
  readonly gateways: ReadonlySet<string> | null;
  readonly tools: GlobSet | null;
  /** Nothing is open to it but what concerns its own users and tools: restricted keys, and people who are only members. */
  readonly confined: boolean;
  readonly expiresAtMs: number | null;
  /** The OAuth client that an access token was given to; left out where an API key speaks. */
  readonly clientId?: string;
  /** The user that it is where nobody is named: people, service accounts, and their keys. */
  readonly actsAs?: string;
  /** What the sign-in says of that user; left out where there is none. */
  readonly vouched?: Pick<Subject, 'groups' | 'claims'> & Partial<Pick<Caller, 'signInId'>>;
}

/** Whom a decision is about: a user, and what is known of them. */
export interface Subject {
  /** As the client names them; `null` only on the REST API, where not every call needs one. */
  readonly userId: string | null;
  /** Names of groups, from an assertion, a sign-in or the company's directory. */
  readonly groups: readonly string[];
  /** Claims of the assertion or the sign-in. */
  readonly claims: { readonly [name: string]: unknown };
  /** The OAuth client that the user let in; left out where an API key speaks. */
  readonly clientId?: string;
  /** `usr_…`, where they are known here: the same under whatever user id they come. */
  readonly personId?: string;
}

declare const authenticated: unique symbol;

/**
 * A principal whose credential was checked, and the user it acts as. Only `identity` makes one, so code that
 * holds a `Caller` cannot have skipped authentication.
 */
export interface Caller extends Subject {
  readonly [authenticated]: true;
  readonly principal: Principal;
  /** What the access token was given for; `null` where an API key speaks. */
  readonly scopes: ReadonlySet<string> | null;
  /** `sgn_…`: of the user's own; left out where they came by none. */
  readonly signInId?: string;
}

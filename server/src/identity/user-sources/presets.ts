import type { UserSource } from './contract.ts';

export type PresetName = NonNullable<UserSource['preset']>;

/** What is known of an issuer of this kind. It fills in what an administrator leaves out, and nothing else. */
export interface Preset {
  readonly title: string;
  readonly userClaim: string;
  readonly groupsClaim: string;
  readonly scopes: readonly string[];
  /** It refuses sign-ins that ask for them. */
  readonly refusedScopes: readonly string[];
  /** Whether an address stands for its owner where `email_verified` is not said. */
  readonly vouchesForEmail: boolean;
  /** How it likes to be told the client secret, where it takes both ways. */
  readonly secretBy: 'client_secret_basic' | 'client_secret_post';
  /** Anybody in the world has an account there. */
  readonly isPublic: boolean;
  /** Whether userinfo may list groups that the ID token does not. */
  readonly groupsInUserinfo: boolean;
  /** Groups are paths, with a slash before the first name. */
  readonly groupPaths: boolean;
  /** Where it says of which organisation somebody is, however their address looks. */
  readonly organizationClaim: string | null;
  /** By which `prompt` people can be somebody else than they are signed in as there. */
  readonly otherAccountBy: 'login' | 'select_account';
}

const common: Omit<Preset, 'title'> = {
  // As everywhere else: it is the one claim that every issuer has, and that never goes to somebody else.
  userClaim: 'sub',
  groupsClaim: 'groups',
  scopes: ['openid', 'profile', 'email'],
  refusedScopes: [],
  vouchesForEmail: false,
  secretBy: 'client_secret_basic',
  isPublic: false,
  groupsInUserinfo: true,
  groupPaths: false,
  organizationClaim: null,
  otherAccountBy: 'login',
};

/** An issuer of which nothing is known. */
export const plainPreset: Preset = { title: 'OpenID Connect', ...common };

export const presets: Readonly<Record<PresetName, Preset>> = {
  // `sub` is another one for each application there; `oid` is the person. It never says `email_verified`: addresses are given by
  // the administrators of the one tenant that the source names.
  entra: {
    ...common,
    title: 'Microsoft Entra ID',
    userClaim: 'oid',
    otherAccountBy: 'select_account',
    vouchesForEmail: true,
    secretBy: 'client_secret_post',
    groupsInUserinfo: false,
  },
  okta: { ...common, title: 'Okta', vouchesForEmail: true },
  // It has no groups, and refuses a sign-in for scopes that it does not know, `offline_access` among them.
  google: {
    ...common,
    title: 'Google',
    groupsClaim: '',
    refusedScopes: ['offline_access', 'groups'],
    secretBy: 'client_secret_post',
    isPublic: true,
    organizationClaim: 'hd',
    otherAccountBy: 'select_account',
  },
  keycloak: { ...common, title: 'Keycloak', groupPaths: true },
};

export function presetOf(name: UserSource['preset']): Preset {
  return name === null ? plainPreset : presets[name];
}

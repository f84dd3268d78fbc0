import type { UpstreamClient, UpstreamServer } from '../upstream/contract.ts';

/** Whose authorization at which source. */
export interface Place {
  readonly projectId: string;
  readonly sourceId: string;
  /** `''`: nobody in particular. */
  readonly userId: string;
}
export type SourcePlace = Pick<Place, 'projectId' | 'sourceId'>;

/** What a user let us do at a source. */
export interface Connection extends Place {
  /** The address that the tokens are for. */
  readonly uri: string;
  /** Who consented; `null`: somebody for whom an API key vouched. */
  readonly personId: string | null;
  readonly issuer: string;
  /** Its lists are asked for with it. */
  readonly servesList: boolean;
  readonly askedScopes: readonly string[];
  readonly grantedScopes: readonly string[];
  readonly consentedAtMs: readonly number[];
  readonly refused: boolean;
  readonly expiresAtMs: number | null;
  readonly version: number;
  readonly changedAtMs: number;
  readonly secret: ConnectionSecret;
}

export interface ConnectionSecret {
  readonly accessToken: string;
  readonly refreshToken: string | null;
  readonly server: UpstreamServer;
  readonly client: UpstreamClient;
}

/** A consent that a user is asked for. */
export interface Flow extends Place {
  /** `ac_…`; also the reference in words to the user. */
  readonly id: string;
  readonly personId: string | null;
  readonly servesList: boolean;
  readonly scopes: readonly string[];
  readonly status: 'pending' | 'completed' | 'failed';
  readonly reason: string | null;
  readonly expiresAtMs: number;
  /** Of the browser that goes through it; `null` before one does. */
  readonly browserHash: string | null;
  readonly secret: FlowSecret;
}

export interface FlowSecret {
  /** In the address that the user opens. */
  readonly token: string;
  readonly state: string;
  readonly codeVerifier: string;
  readonly authorizationUrl: string;
  readonly redirectUri: string;
  readonly uri: string;
  readonly server: UpstreamServer;
  readonly client: UpstreamClient;
}

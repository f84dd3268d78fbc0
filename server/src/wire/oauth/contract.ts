import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Gateway } from '#domain';
import type { SignIn } from '#identity';

/** An authorization that waits for a person. */
export interface PendingAuthorization {
  readonly uid: string;
  readonly waitsFor: 'sign_in' | 'consent';
  readonly client: {
    readonly id: string;
    /** As it calls itself: anybody may call themselves anything. */
    readonly name: string;
    /** The host that vouches for it: that of its metadata document; `null` for one that registered itself. */
    readonly host: string | null;
    /** Where the answer goes: `claude.ai`, `localhost (this computer)`, `cursor:`. */
    readonly redirectHost: string;
  };
  /** `null`: for the API. */
  readonly gateway: Gateway | null;
  /** Those that are asked for, exist and were not allowed before; all of them, where there is no such one. */
  readonly scopes: readonly string[];
  /** The others that are asked for. */
  readonly allowedBefore: readonly string[];
  /** Of the browser, where it is signed in as somebody who may come in here. */
  readonly signIn: SignIn | null;
}

/**
 * What pages do with it, in requests below `/oauth2/interaction/{uid}`: the path says which one is meant, and a cookie of its own
 * that it is this browser's. Each answers with the URL at which the browser goes on.
 */
export interface Authorizations {
  /** `null`: it is over, too old, or another browser's. */
  pending(request: IncomingMessage, response: ServerResponse): Promise<PendingAuthorization | null>;
  signedIn(request: IncomingMessage, response: ServerResponse, signIn: SignIn): Promise<string>;
  consented(request: IncomingMessage, response: ServerResponse): Promise<string>;
  denied(request: IncomingMessage, response: ServerResponse): Promise<string>;
  /** How a client calls itself; `null` where it is not known (any more). */
  clientName(clientId: string): Promise<string | null>;
}

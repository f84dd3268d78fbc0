import type { Caller, Challenge, ClientSide, Credential, Refusal, Source, Tool } from '#domain';
import type { MaybePromise, Result } from '#foundation';
import type { Target } from './authority.ts';
import type { UserConnections } from './connections/contract.ts';
import type { Authorizations, Consenting } from './flows/contract.ts';
import type { Providers } from './providers/contract.ts';
import type { Secrets } from './secrets/contract.ts';

export interface Credentials {
  readonly providers: Providers;
  readonly authorizations: Authorizations;
  readonly connections: UserConnections;
  readonly secrets: Secrets;
  /**
   * What this call must carry: nothing for a tool that asks for nothing at a source that nobody is connected to. Refused with
   * `credentials.consent_required` where the user has to consent first (`details` name every consent that is missing), and with
   * `credentials.not_configured` where a provider or a secret is not set up.
   */
  attach(call: CallToAttach): MaybePromise<Result<Credential | null, Refusal>>;
  /** What any other request to a source must carry. */
  forSource(caller: Caller, at: SourceName): MaybePromise<Result<Credential | null, Refusal>>;
  /**
   * A source refused a request for want of authorization. With what it is to be sent again; or `credentials.consent_required`
   * with the address where the user consents. `null`: it is no matter of OAuth.
   */
  challenged(
    caller: Caller,
    at: SourceName,
    challenge: Challenge,
    sent: Credential | null,
  ): Promise<Result<Credential, Refusal> | null>;
  /** What a client brings back to a consent that it was asked for: waits a while for it to end. `null`: it brings no such thing. */
  resumed(
    caller: Caller,
    at: SourceName,
    resume: ClientSide['resume'],
    signal: AbortSignal | null,
  ): Promise<Result<void, Refusal>> | null;
  /** With which token the lists of a source are asked for; another one than it has refused. */
  listToken(source: Source, refused: string | null): Promise<Credential['authorization']>;
  /** The consent with which the lists of a source can be asked for, from now on as this user. */
  connectList(asked: {
    readonly source: Source;
    readonly userId: string;
    readonly personId: string | null;
    readonly challenge: Challenge | null;
  }): Promise<Result<ConsentAsked, Refusal>>;
  /** Where users come back to from the authorization server of a source. */
  redirectUriOf(at: SourceName): string;
  /** Whether calls carry tokens that are got for those of their users' own sign-ins. */
  exchangesTokens(projectId: string): boolean;
  /** The source is gone, and with it what was kept for it. */
  forgetSource(projectId: string, sourceId: string): Promise<void>;
  readonly consents: Consenting;
  close(): void;
}

export interface CallToAttach {
  readonly caller: Caller;
  readonly tool: Tool;
  /** The slug; `null`: outside any gateway. An account may be chosen for one. */
  readonly gateway: string | null;
  /** Secrets that a hook gave for this call. */
  readonly given: Credential['secrets'];
  /**
   * The token that a tool was given before and that its provider refused: another one, renewed where nobody has done that yet;
   * `credentials.consent_required` where the provider renews it no more.
   */
  readonly refused?: string;
  /** Only says what is there: nobody is asked to consent, and nothing of it is recorded. */
  readonly peek?: true;
}

export interface SourceName {
  readonly projectId: string;
  readonly sourceId: string;
}

/** A consent that a user is asked for; `details` of `credentials.consent_required` say the same. */
export interface ConsentAsked {
  /** `ac_…` */
  readonly id: string;
  /** A page of ours. */
  readonly url: string;
  readonly scopes: readonly string[];
}

/** What happened to what users let us do; for the audit. Never a token, a code or a state. */
export interface ConsentEvent {
  readonly kind: 'asked' | 'completed' | 'failed' | 'expired' | 'revoked' | 'chosen' | 'renewal_refused';
  readonly target: Target;
  /** Of the authorization (`ac_…`), or of the connection (`con_…`). */
  readonly id: string;
  /** `''`: nobody in particular. */
  readonly userId: string;
  readonly personId: string | null;
  /** Why it failed, in a word: `FlowFailure.code`. */
  readonly code: string | null;
  readonly reason: string;
}

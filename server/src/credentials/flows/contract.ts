import type { Refusal } from '#domain';
import type { Result } from '#foundation';
import type { EntryForm, Target } from '../authority.ts';
import type { Requirement } from '../providers/contract.ts';

/** Whether a user has authorized something, as API clients follow it. */
export interface Authorization {
  /** `ac_…`; `''` where nobody was asked (`not_started`). */
  readonly id: string;
  readonly target: Target;
  readonly userId: string;
  /** As in `ForWhom`; of a completed one: who consented. */
  readonly personId: string | null;
  readonly status: 'not_started' | 'pending' | 'completed' | 'failed';
  /** A page of ours, to be opened in the user's browser; `null` where there is nothing to open any more. */
  readonly url: string | null;
  readonly scopes: readonly string[];
  /** Of the connection that serves it; only where it is completed. */
  readonly connectionId: string | null;
  /** Why it failed; only where it did. */
  readonly failure: FlowFailure | null;
  /** Whether that was told before. */
  readonly wasTold: boolean;
}

export interface FlowFailure {
  /** A stable word: an error code of OAuth (`access_denied`), `expired`, `user_mismatch`, `answer_invalid`, … */
  readonly code: string;
  /** For the user. */
  readonly reason: string;
  /** What mends it, and who; `''`: nothing is known to. */
  readonly advice: string;
}

/** For whom, and by whose word. */
export interface ForWhom {
  readonly projectId: string;
  readonly userId: string;
  /** A person is to be signed in at the browser; `null`: an API key vouches for the user. */
  readonly personId: string | null;
}

/** What `/v1/auth/…` does. */
export interface Authorizations {
  /**
   * Completed at once where a connection has all scopes; otherwise the user is to be asked, by the same address for whoever asks for
   * the same while it is pending. `peek`: only says how it is.
   */
  authorize(
    whom: ForWhom,
    asked: {
      /** Or an MCP server with an authorization server of its own; completed, too, where it wants no consent that we know of. */
      readonly requirement: Requirement | { readonly sourceId: string };
      readonly nextUri: string | null;
      /** Which account is meant; `null`: the one for the tool, else the default one. */
      readonly account?: string | null;
      readonly toolId?: string | null;
      readonly peek?: true;
    },
  ): Promise<Result<Authorization, Refusal>>;
  /** What `peek` says of each of these, in their order, by one look at what the user has: for lists of tools. */
  statuses(
    whom: ForWhom,
    requirements: readonly (Requirement & { readonly toolId?: string | null })[],
  ): Promise<readonly Result<Authorization['status'], Refusal>[]>;
  /** Waits up to `waitMs` for its end. `null`: there is no such one in the project. */
  status(
    projectId: string,
    id: string,
    waitMs: number,
    signal: AbortSignal | null,
  ): Promise<Authorization | null>;
  /** Marks the failure of this one as told: whoever asks again is refused. */
  told(projectId: string, id: string): Promise<void>;
  /** The token of a completed one, renewed where it has to be; with what the provider says of the user. */
  token(authorization: Authorization): Promise<
    Result<
      {
        readonly token: string;
        readonly userInfo: { readonly [member: string]: unknown };
      },
      Refusal
    >
  >;
  /** The project's own verifier says who was at the browser. Refused: `credentials.user_mismatch`, which ends the flow. */
  confirmUser(
    projectId: string,
    flowId: string,
    userId: string,
  ): Promise<Result<{ readonly authId: string; readonly nextUri: string | null }, Refusal>>;
  /** A flow that leads to a verifier and nowhere else, so that it can be tried out. `nextUri`: to be opened in a browser. */
  testVerifier(
    whom: ForWhom,
    verifierUrl: string,
  ): Promise<Result<{ readonly flowId: string; readonly nextUri: string }, Refusal>>;
  /** How it is made sure that who consents is the user. */
  readonly verification: {
    get(projectId: string): Promise<Verification>;
    put(projectId: string, verification: Verification): Promise<void>;
  };
}

export interface Verification {
  readonly verifierUrl: string | null;
  readonly unsafeSkipVerification: boolean;
}

/** What the pages do at which a user consents. */
export interface Consenting {
  look(token: string, verifier: Verifier): Promise<Result<Opened, ConnectProblem>>;
  /**
   * Where the browser goes on. It is known by `cookie` from now on; another one that opened it before is out.
   */
  open(token: string, verifier: Verifier, cookie: string): Promise<Result<string, ConnectProblem>>;
  /** Where `Opened.entry` is: what the user entered, in place of `open`. What is refused there can be entered once more. */
  enter(
    token: string,
    verifier: Verifier,
    entered: { readonly [field: string]: string },
    cookie: string,
  ): Promise<Result<Finished, ConnectProblem>>;
  /** The answer at a callback. */
  finish(
    target: Target,
    answer: URLSearchParams,
    verifier: Verifier,
  ): Promise<Result<Finished, ConnectProblem>>;
  /** How it is with one that this browser opened last; `null`: it opened no such one. */
  ended(id: string, verifier: Verifier): Promise<Ended | null>;
  /** Consents that failed within a day, newest first, at most twenty. All that are given must fit. */
  failedLately(
    projectId: string,
    whose: { readonly userIds?: readonly string[] | undefined; readonly personId?: string | undefined },
  ): Promise<readonly FailedConsent[]>;
  /**
   * One's own address to connect an account at a provider, for who is signed in at the page of connections: the page goes there.
   */
  connect(
    whom: ForWhom,
    asked: { readonly target: Target; readonly scopes: readonly string[]; readonly account: string | null },
  ): Promise<Result<string, Refusal>>;
  /** The document that authorization servers of MCP servers fetch of us. */
  clientDocument(at: { readonly projectId: string; readonly sourceId: string }): object;
}

/** Who is at the browser. */
export interface Verifier {
  /**
   * Who is signed in there; `null`: nobody. `isUser`: whether they are known in this project by this user id or e-mail address
   * (what a source of one project calls somebody is proof in no other).
   */
  readonly person: {
    readonly id: string;
    readonly isUser: (projectId: string, userId: string) => boolean;
  } | null;
  /** Whether it is the browser that opened this consent. */
  readonly isSameBrowser: (id: string, browserHash: string) => boolean;
}

export interface Opened {
  readonly id: string;
  readonly target: Target;
  /** What users know it by: `GitHub`. */
  readonly label: string;
  readonly userId: string;
  /** `null`: an API key vouches for the user. */
  readonly personId: string | null;
  readonly scopes: readonly string[];
  /** Where the user is sent to; `null` where they enter something here. */
  readonly host: string | null;
  readonly entry: EntryForm | null;
  readonly account: string | null;
  /** Who is at the browser is known, or somebody else makes sure of it afterwards: nothing has to be asked before going on. */
  readonly isSure: boolean;
}

export interface Finished {
  readonly opened: Opened;
  /** Where the browser goes on: to the project's own verifier, or to where the asker wants it; `null`: nowhere. */
  readonly goOn: string | null;
}

export interface Ended {
  readonly opened: Opened;
  /** `verifying`: the project's own verifier has not said yet that it was the user. */
  readonly status: 'pending' | 'verifying' | 'completed' | 'failed';
  /** Only where it failed. */
  readonly failure: FlowFailure | null;
}

export interface FailedConsent {
  readonly id: string;
  readonly target: Target;
  readonly userId: string;
  readonly personId: string | null;
  readonly scopes: readonly string[];
  readonly failure: FlowFailure;
  /** ISO 8601. */
  readonly endedAt: string;
}

export interface ConnectProblem {
  /** `refused`: what was entered is not right; it can be entered once more. */
  readonly kind:
    | 'refused'
    | 'unknown'
    | 'sign_in'
    | 'other_person'
    | 'other_browser'
    | 'answered'
    | 'completed'
    | 'failed';
  /** The id of the flow. */
  readonly reference: string | null;
  /** Where it failed: why, and what mends it. */
  readonly words: string;
  readonly advice?: string;
  /** Where somebody has to sign in: of which project. */
  readonly projectId?: string;
}

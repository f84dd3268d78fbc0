import type { DbAnswer, DbRequest } from '#storage';

/** What a lane is asked for, and answers when it is done. */
export type LaneQuestion = 'drain' | 'metrics';

/** Of a request that a lane passed on, by its number: what happens to it at the lane, where the client is. */
export type Passing =
  | { readonly kind: 'request'; readonly id: number; readonly request: unknown }
  /** So many bytes of the answer left for the client. */
  | { readonly kind: 'taken'; readonly id: number; readonly bytes: number }
  /** The client has all of the answer, or is gone. */
  | { readonly kind: 'over'; readonly id: number; readonly isFinished: boolean };

/** What the office answers to it. */
export type Answering =
  | {
      readonly kind: 'head';
      readonly id: number;
      readonly status: number;
      readonly headers: Readonly<Record<string, string | number>>;
    }
  | { readonly kind: 'part'; readonly id: number; readonly bytes: Buffer }
  | { readonly kind: 'end'; readonly id: number }
  | { readonly kind: 'cut'; readonly id: number };

export type ToLane =
  | { readonly kind: 'start'; readonly start: unknown }
  | { readonly kind: 'db'; readonly answer: DbAnswer }
  /** What it holds may not be right any more: until it has looked, it serves nothing itself. To be confirmed. */
  | { readonly kind: 'stale'; readonly id: number; readonly seq: number }
  /** All that was said until `seq` can be seen now; what the config file says now; `null`: as before. */
  | { readonly kind: 'look'; readonly seq: number; readonly declared: unknown }
  /** Something that holds from now on. To be confirmed. */
  | { readonly kind: 'told'; readonly id: number; readonly news: unknown }
  | { readonly kind: 'ask'; readonly id: number; readonly what: LaneQuestion }
  /** With a connection. */
  | { readonly kind: 'connection' }
  | { readonly kind: 'answering'; readonly answering: readonly Answering[] }
  | { readonly kind: 'stop' };

export type ToOffice =
  | { readonly kind: 'db'; readonly request: DbRequest }
  /** It has loaded what it holds, and may be given connections. */
  | { readonly kind: 'loaded' }
  | { readonly kind: 'heard'; readonly id: number }
  | { readonly kind: 'answered'; readonly id: number; readonly answer: unknown }
  /** With a connection, of which these bytes were read already. */
  | { readonly kind: 'connection'; readonly bytes: Buffer }
  /** A source should be looked at: a call found it otherwise than it is known. */
  | { readonly kind: 'hurry'; readonly projectId: string; readonly sourceId: string }
  | { readonly kind: 'told'; readonly news: unknown }
  | { readonly kind: 'passing'; readonly passing: Passing };

/** A request that was passed on, at the office. */
export interface PassedOn {
  /** As the lane's front made it. */
  readonly request: unknown;
  answer(answering: readonly DistributiveOmit<Answering, 'id'>[]): void;
}

/** Where the office serves what was passed on. */
export interface Desk {
  serve(passed: PassedOn): {
    taken(bytes: number): void;
    over(isFinished: boolean): void;
  };
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

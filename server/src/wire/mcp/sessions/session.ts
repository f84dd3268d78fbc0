import type { Caller, InputAnswer, LogLevel } from '#domain';
import type { Members } from '#foundation';
import type { Announcement } from '#sources';
import type { HttpResponse } from '../../http/message.ts';
import type { LegacyVersion } from '../rev-2025-11-25/versions.ts';
import type { RpcId } from '../rpc.ts';
import type { IssuedSession } from './session-id.ts';
import type { SessionKey, StoredSession } from './session-store.ts';

/** The client's GET stream, and what reaches it there. */
export interface Listener {
  readonly response: HttpResponse;
  hear(announcement: Announcement): void;
  hearOfUpdate(uri: string, params: Members): void;
  /** Asks the sources for what the client subscribed to, as far as nobody there knows of it yet. */
  takeUp(): void;
}

/** A question that the client has not answered yet. */
export interface OpenQuestion {
  settle(answer: InputAnswer): void;
  /** Nobody waits for the answer any more. */
  drop(why: string): void;
}

/** A resource that the client wants to hear of. */
export interface Subscription {
  /** Whether the table has it. */
  stored: boolean;
  /** Ends it at the source; `null` where nobody there knows of it. */
  release: (() => void) | null;
  isTaking: boolean;
}

/**
 * A client with a handshake while it is in use. Clients that only came by are many, so what most of them never need is made
 * when it is needed.
 */
export class Session implements SessionKey {
  /** Names the conversation; nobody can guess it. */
  readonly id: string;
  readonly issuedAtMs: number;
  readonly sealedId: string;
  readonly principalId: string;
  readonly userId: string | null;
  readonly gatewayId: string;
  readonly version: LegacyVersion;
  readonly clientName: string;
  lastSeenMs: number;
  /** What `logging/setLevel` said. */
  logLevel: LogLevel | null = null;
  listener: Listener | null = null;
  /** Whether it was ended or dropped: then nothing more is kept with it. */
  isOver = false;
  #changes = 0;
  readonly #capabilities: string;
  #pending: Map<RpcId, AbortController> | null = null;
  #questions: Map<RpcId, OpenQuestion> | null = null;
  #subscriptions: Map<string, Subscription> | null = null;

  constructor(
    sealedId: string,
    issued: IssuedSession,
    { principal, userId }: Caller,
    gatewayId: string,
    nowMs: number,
  ) {
    this.id = issued.id;
    this.issuedAtMs = issued.issuedAtMs;
    this.sealedId = sealedId;
    this.principalId = principal.id;
    this.userId = userId;
    this.gatewayId = gatewayId;
    this.version = issued.version;
    this.clientName = issued.clientName;
    this.#capabilities = issued.capabilities;
    this.lastSeenMs = nowMs;
  }

  get capabilities(): Members {
    return JSON.parse(this.#capabilities);
  }

  /** Requests under way, by the client's request id, so that the client can cancel them. */
  get pending(): Map<RpcId, AbortController> {
    this.#pending ??= new Map();
    return this.#pending;
  }

  get questions(): Map<RpcId, OpenQuestion> {
    this.#questions ??= new Map();
    return this.#questions;
  }

  get subscriptions(): Map<string, Subscription> {
    this.#subscriptions ??= new Map();
    return this.#subscriptions;
  }

  get isBusy(): boolean {
    return this.listener !== null || (this.#pending?.size ?? 0) > 0;
  }

  isOf({ principal, userId }: Caller, gatewayId: string): boolean {
    return this.principalId === principal.id && this.userId === userId && this.gatewayId === gatewayId;
  }

  /** Whether the table may say more than is known here. */
  isBehind(changes: number): boolean {
    return changes > this.#changes;
  }

  /** This process wrote it; what others wrote in between is still unknown here. */
  wrote(changes: number): void {
    if (changes === this.#changes + 1) this.#changes = changes;
  }

  /** Takes over what the table says. */
  take(stored: StoredSession): void {
    if (!this.isBehind(stored.changes)) return;
    this.#changes = stored.changes;
    this.logLevel = stored.logLevel;
    const wanted = new Set(stored.subscriptions);
    for (const [uri, subscription] of this.#subscriptions ?? []) {
      if (!subscription.stored || wanted.has(uri)) continue;
      this.subscriptions.delete(uri);
      subscription.release?.();
    }
    for (const uri of wanted) {
      const known = this.subscriptions.get(uri);
      if (known === undefined) this.subscriptions.set(uri, { stored: true, release: null, isTaking: false });
      else known.stored = true;
    }
    this.listener?.takeUp();
  }

  /** Lets go of everything that is kept for it. */
  stop(why: string): void {
    this.isOver = true;
    this.listener?.response.end();
    for (const question of [...(this.#questions?.values() ?? [])]) question.drop(why);
    for (const controller of this.#pending?.values() ?? []) controller.abort();
    for (const { release } of this.#subscriptions?.values() ?? []) release?.();
    this.#subscriptions = null;
  }
}

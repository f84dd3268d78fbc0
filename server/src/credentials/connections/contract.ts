import type { Refusal } from '#domain';
import type { Result } from '#foundation';
import type { Target } from '../authority.ts';

/** An account of a user at a provider or MCP server, as people and administrators see it. */
export interface ConnectionView {
  /** `con_…` */
  readonly id: string;
  readonly target: Target;
  /** `''`: nobody in particular, only the lists of a source. */
  readonly userId: string;
  readonly personId: string | null;
  /** What the user calls it. */
  readonly name: string;
  readonly isDefault: boolean;
  /** Gateways (slugs) and tools (ids) for which it is used before the default one. */
  readonly gateways: readonly string[];
  readonly tools: readonly string[];
  /** `revoked`: the provider does not take it any more; the user must consent anew. */
  readonly status: 'active' | 'revoked';
  readonly scopes: readonly string[];
  readonly userInfo: { readonly [member: string]: unknown };
  readonly expiresAt: string | null;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly lastUsedAt: string | null;
}

/** Whose connections: all that are given must fit. */
export interface ConnectionFilter {
  readonly targetIds?: readonly string[] | undefined;
  readonly userIds?: readonly string[] | undefined;
  readonly personId?: string | undefined;
}

export interface ConnectionChange {
  readonly name?: string | undefined;
  /** Another one of the user's there stops being it. */
  readonly isDefault?: true | undefined;
  readonly gateways?: readonly string[] | undefined;
  readonly tools?: readonly string[] | undefined;
}

/** Changes are told to other replicas (topic `connections`), and act on the next call. */
export interface UserConnections {
  list(projectId: string, filter: ConnectionFilter): Promise<readonly ConnectionView[]>;
  /** So many of them, in the same order, and how many there are. */
  page(
    projectId: string,
    filter: ConnectionFilter,
    page: { readonly limit: number; readonly offset: number },
  ): Promise<{ readonly items: readonly ConnectionView[]; readonly total: number }>;
  find(projectId: string, id: string): Promise<ConnectionView | null>;
  change(projectId: string, id: string, change: ConnectionChange): Promise<Result<ConnectionView, Refusal>>;
  /**
   * Forgets it at once, and takes its tokens back over there, too (RFC 7009). `atProvider: 'failed'`: over there they may still
   * hold; `reason` says why.
   */
  revoke(
    projectId: string,
    id: string,
  ): Promise<
    Result<
      { readonly atProvider: 'revoked' | 'unsupported' | 'failed'; readonly reason: string | null },
      Refusal
    >
  >;
  /** How many connections these users have in a project. */
  countOf(projectId: string, userIds: readonly string[]): Promise<number>;
}

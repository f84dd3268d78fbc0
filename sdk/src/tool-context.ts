import type { StandardSchemaV1 } from '@modelcontextprotocol/server';
import type { ToolRequirements } from '@sallyport/contracts';
import { ToolError } from './errors.ts';
import type { ToolSchema } from './json-schema-of.ts';

export type ElicitAnswer<Content> = { action: 'accept'; content: Content } | { action: 'decline' | 'cancel' };

/** What a tool's handler is given beside its input. */
export interface ToolContext {
  /** Whom the call is for, as the gateway says; null where nobody vouches for it. */
  readonly userId: string | null;
  readonly secrets: {
    /** The value of a secret that the tool declares in `requires.secrets`; throws where it was not given. */
    get(key: string): string;
  };
  /**
   * The user's token at the provider that the tool declares in `requires.authorization`, with what the provider says of the user;
   * throws where it was not given.
   */
  readonly authorization: Authorization;
  /** What the gateway sent of `requires.metadata`. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly log: Record<LogLevel, (message: string) => void>;
  progress(done: number, total?: number, message?: string): void;
  /**
   * Asks the user. Over MCP the handler then runs again from its start, with the answer; so ask before doing
   * anything that must not happen twice. Throws where nobody can be asked, as behind the worker protocol.
   */
  elicit<Schema extends ToolSchema>(question: {
    message: string;
    schema: Schema;
  }): Promise<ElicitAnswer<StandardSchemaV1.InferOutput<Schema>>>;
  /** Aborted when the caller is gone. */
  readonly signal: AbortSignal;
  readonly executionId: string;
}

export interface Authorization {
  readonly token: string;
  readonly userInfo: Readonly<Record<string, unknown>>;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** What differs between the ways a call can arrive. */
export interface CallOrigin {
  executionId: string;
  userId: string | null;
  secret(key: string): string | undefined;
  authorization: Authorization | null;
  metadata: ToolContext['metadata'];
  signal: AbortSignal;
  log(level: LogLevel, message: string): void;
  progress(done: number, total: number | undefined, message: string | undefined): void;
  elicit: ToolContext['elicit'];
}

export function createToolContext(origin: CallOrigin, requires: ToolRequirements): ToolContext {
  const declaredSecrets = (requires.secrets ?? []).map(({ key }) => key);
  const logAt = (level: LogLevel) => (message: string) => origin.log(level, message);
  return {
    userId: origin.userId,
    secrets: {
      get(key) {
        if (!declaredSecrets.includes(key)) {
          throw new ToolError(`secret '${key}' is not declared: add it to requires.secrets of the tool`);
        }
        const value = origin.secret(key);
        if (value === undefined) {
          throw new ToolError(`secret '${key}' was not given to this call`, {
            kind: 'TOOL_REQUIREMENTS_NOT_MET',
          });
        }
        return value;
      },
    },
    get authorization() {
      if (requires.authorization === null) {
        throw new ToolError('no authorization is declared: add it to requires.authorization of the tool');
      }
      if (origin.authorization !== null) return origin.authorization;
      throw new ToolError('the authorization of the user was not given to this call', {
        kind: 'TOOL_REQUIREMENTS_NOT_MET',
      });
    },
    metadata: origin.metadata,
    log: { debug: logAt('debug'), info: logAt('info'), warn: logAt('warn'), error: logAt('error') },
    progress: (done, total, message) => origin.progress(done, total, message),
    elicit: (question) => origin.elicit(question),
    signal: origin.signal,
    executionId: origin.executionId,
  };
}

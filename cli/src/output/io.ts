/** What a command sees of the world around it: a test gives its own. */
export interface Io {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where settings of this person are kept: `$XDG_CONFIG_HOME`, `~/.config`. */
  readonly configDir: string;
  readonly stdin: Input;
  readonly stdout: Sink;
  readonly stderr: Sink;
  readonly fetch: typeof fetch;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** Ends with SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
}

export interface Input extends AsyncIterable<string | Uint8Array> {
  readonly isTTY?: boolean;
  /** Of a terminal: keys come one by one, and are not shown. */
  setRawMode?(raw: boolean): unknown;
}

export interface Sink {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

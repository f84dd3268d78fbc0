/** A file as it is, and as it is to be: `null` is a file that is not there. Paths are absolute. */
export interface FileChange {
  readonly path: string;
  readonly before: string | null;
  readonly after: string | null;
}

import { parseYaml } from '../files/yaml-file.ts';

/** A file that is checked, as it is. */
export interface LintFile {
  /** Absolute. */
  readonly path: string;
  /** From the root of the repository, with `/`. */
  readonly shown: string;
  /** `null`: it cannot be read, and `unreadable` says why. */
  readonly text: string | null;
  readonly unreadable?: string;
  readonly kind: LintFileKind;
  /** Of a Dockerfile: whether there is a .dockerignore for it. */
  readonly dockerignore?: boolean;
  /** Read so that others can refer to it; nothing is told of it. */
  readonly silent?: boolean;
}

export type LintFileKind =
  | 'manifest'
  | 'kustomization'
  | 'ports'
  | 'mcp-json'
  | 'dockerfile'
  | 'workflow'
  | 'server';

const read = new WeakMap<LintFile, ReturnType<typeof parseYaml>>();

/** What a file in YAML says; each is read once, however many rules and rounds look at it. */
export function yamlOf(file: LintFile): ReturnType<typeof parseYaml> {
  const known = read.get(file);
  if (known !== undefined) return known;
  const made = parseYaml(file.shown, file.text ?? '');
  read.set(file, made);
  return made;
}

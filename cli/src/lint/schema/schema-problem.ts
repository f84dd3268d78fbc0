import type { YamlPath } from '../../files/yaml-file.ts';

export interface SchemaProblem {
  readonly path: YamlPath;
  readonly message: string;
  /** It is told of the key rather than the value: fields that nobody knows. */
  readonly ofKey?: boolean;
}

import { existsSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import type { Project } from './project.ts';

/** Where the JSON Schema of server.yaml is kept, from the root: `sallyport deploy schema server > <this>`. */
export const schemaFile = '.sallyport/server.schema.json';

/** The first line of a server.yaml, by which editors complete it; nothing where the repository keeps no schema. */
export function schemaLine({ root }: Pick<Project, 'root'>, path: string): string {
  const schema = join(root, schemaFile);
  if (!existsSync(schema)) return '';
  return `# yaml-language-server: $schema=${relative(dirname(path), schema).replaceAll('\\', '/')}\n`;
}

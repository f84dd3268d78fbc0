import { dirname, join, relative } from 'node:path';

/** Where the JSON Schema of server.yaml is kept, from the root: `sallyport deploy schema server > <this>`. */
export const schemaFile = '.sallyport/server.schema.json';

/** The first line of a server.yaml, by which editors complete it; `root` has the schema. */
export function schemaLine(root: string, path: string): string {
  const schema = relative(dirname(path), join(root, schemaFile)).replaceAll('\\', '/');
  return `# yaml-language-server: $schema=${schema}\n`;
}

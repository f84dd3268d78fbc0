import { existsSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { jsonSchema } from '../spec/json-schema.ts';
import type { Project } from '../spec/project.ts';
import { schemaFile, schemaLine } from '../spec/schema-line.ts';
import { fromClone, sdkDependencies } from './sdk-packages.ts';
import { fillTemplate } from './templates.ts';
import { nodeTest, pythonTest, workflow } from './workflow.ts';

export const templates = ['typescript', 'python', 'configmap'] as const;
export type Template = (typeof templates)[number];

export interface NewServer {
  readonly name: string;
  readonly template: Template;
  /** Absolute, of the new server. */
  readonly folder: string;
  readonly owner: string;
  readonly description: string;
}

/**
 * The files of a new server by their absolute path: source, test, image, `server.yaml`, the schema that editors complete it by,
 * unless the repository has that already, and the CI workflow.
 */
export function newServerFiles(server: NewServer, project: Project): ReadonlyMap<string, string> {
  const { name, template, folder, owner, description } = server;
  const { suffix, patterns, images } = project.conventions;
  const object = `${name}${suffix}`;
  const inRepository = relative(project.root, folder).split(sep).join('/') || '.';
  // A server that is not part of the repository gets a workflow and a schema of its own.
  const outside = inRepository.startsWith('..');
  const root = outside ? folder : project.root;
  const workflowPath = `.github/workflows/${object}.yaml`;
  const words = {
    name,
    object,
    owner,
    description,
    toolkit: toolkitOf(name),
    port: String(patterns[template === 'configmap' ? 'configmap' : 'build'].port),
    registry: patterns.build.registry,
    workflow: workflowPath,
    schemaLine: schemaLine(root, join(folder, 'server.yaml')),
    sdkDependencies: sdkDependencies(),
    copyVendor: fromClone ? 'COPY vendor vendor\n' : '',
    vendorNote: fromClone
      ? '\n\n`vendor/` holds the SDK as it was in the clone that this server was made with; `^` and a version take a published one.'
      : '',
  };
  const files = new Map([...fillTemplate(template, words)].map(([path, text]) => [join(folder, path), text]));
  const schema = join(root, schemaFile);
  if (!existsSync(schema)) files.set(schema, jsonSchema('server'));
  if (template === 'configmap') return files;
  const text = workflow({
    object,
    folder: outside ? '.' : inRepository,
    path: workflowPath,
    registry: patterns.build.registry,
    tag: patterns.build.tag,
    key: images.cosignKey !== undefined,
    test: template === 'typescript' ? nodeTest : pythonTest,
  });
  return files.set(join(root, workflowPath), text);
}

/** `github-issues` → `GithubIssues`: how its tools' names begin. */
function toolkitOf(name: string): string {
  const words = name.split('-').filter((word) => word !== '');
  const joined = words.map((word) => word[0]?.toUpperCase() + word.slice(1)).join('');
  return /^[0-9]/.test(joined) ? `Server${joined}` : joined;
}

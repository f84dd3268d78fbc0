import { readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { editMcpJson } from '../clients/mcp-json.ts';
import { CommandError } from '../command-error.ts';
import type { FileChange } from '../files/file-change.ts';
import { addResource } from '../files/kustomization.ts';
import { readText } from '../files/read-text.ts';
import { registryOf, registryPath, takePort } from '../ports/registry.ts';
import { portsOfManifests } from '../ports/used-ports.ts';
import { type LoadedServer, type Project, shownPath } from '../spec/load.ts';
import { createDraft, type Draft } from './draft.ts';
import { helmValues, terraformCname } from './exposure.ts';
import { generate } from './generate.ts';
import { madeFrom, objectsOf, updatedText } from './made-file.ts';
import { clusterUrl, namesOf, nodeUrl } from './names.ts';
import type { KubernetesObject } from './object.ts';
import { printYaml } from './print.ts';
import { infisicalPlace, secretsOf } from './secrets.ts';

/** What `deploy generate` is going to write, and what its user must know of it. */
export interface Plan {
  readonly changes: readonly FileChange[];
  readonly notes: readonly string[];
}

export interface PlanOptions {
  /** Whether files that a person wrote are written over. */
  readonly replace: boolean;
  /** Milliseconds since 1970: the registry says since when a NodePort is given out. */
  readonly now: () => number;
}

/** Works out every file of these servers; nothing is written, and a mistake in one leaves all as they are. */
export async function planManifests(
  servers: readonly LoadedServer[],
  project: Project,
  options: PlanOptions,
): Promise<Plan> {
  refuseSameNames(servers, project);
  const draft = createDraft();
  const notes: string[] = [];
  await checkLayout(servers, project, draft);
  for (const server of servers) notes.push(...(await planServer(server, project, draft, options)));
  return { changes: draft.changes(), notes };
}

async function planServer(server: LoadedServer, project: Project, draft: Draft, options: PlanOptions) {
  const { spec } = server;
  const names = namesOf(spec, project.conventions);
  const path = join(project.folder, names.file);
  const before = await draft.read(path);
  const today = new Date(options.now()).toISOString().slice(0, 10);
  const nodePort = await nodePortOf(server, project, draft, today);
  const sealed = sealedOf(server, project, path, before);
  const given = { sealed: sealed.objects, ...(nodePort !== null && { nodePort }) };
  const shown = shownPath(project, path);
  draft.write(
    path,
    updatedText(
      path,
      shown,
      before,
      generate(server, project, given),
      shownPath(project, server.path),
      options.replace,
    ),
  );
  if (project.conventions.layout === 'kustomization') await listFile(project, names.file, draft);
  const exposure = await planExposure(server, project, draft);
  const values = before === null ? neededValues(server, project) : [];
  return [...exposure, ...values, ...sealed.notes, ...(await planMcpJson(server, project, draft, nodePort))];
}

/** The server's NodePort, which nobody else has: in the registry by now. */
async function nodePortOf({ spec }: LoadedServer, project: Project, draft: Draft, today: string) {
  const wanted = spec.expose.nodePort;
  if (wanted === undefined) return null;
  const path = registryPath(project);
  const registry = registryOf(project, await draft.read(path));
  const { name, owner } = spec;
  const entry = { name, owner, ...(wanted !== 'auto' && { port: wanted }) };
  const taken = takePort(registry, entry, { project, today, used: await portsOfManifests(project) });
  if (taken.change.after !== null) draft.write(path, taken.change.after);
  return taken.port;
}

async function listFile(project: Project, file: string, draft: Draft): Promise<void> {
  const path = join(project.folder, 'kustomization.yaml');
  const before = await draft.read(path);
  draft.write(path, addResource(shownPath(project, path), before, file));
}

/** A server.yaml, and a kustomization.yaml, in a folder that Flux applies as it is change what Flux applies. */
async function checkLayout(servers: readonly LoadedServer[], project: Project, draft: Draft): Promise<void> {
  if (project.conventions.layout !== 'recursive') return;
  const inside = servers.find(({ path }) => !relative(project.folder, path).startsWith('..'));
  if (inside !== undefined) {
    throw new CommandError(
      'layout.spec-inside',
      `${shownPath(project, inside.path)} is in a folder that Flux applies as it is`,
      ['Flux would take it for a manifest: move it beside its code, or to mcp-servers/ of the repository.'],
    );
  }
  for (const name of ['kustomization.yaml', 'kustomization.yml', 'Kustomization']) {
    const path = join(project.folder, name);
    if ((await draft.read(path)) === null) continue;
    throw new CommandError(
      'layout.kustomization',
      `${shownPath(project, path)} is in a folder that Flux applies as it is`,
      [
        'With it, Flux applies what it lists, and nothing else. Remove it, or say layout: kustomization in conventions.yaml.',
      ],
    );
  }
}

/** What `deploy seal` made before, of the secrets that still are to be sealed. */
function sealedOf({ spec }: LoadedServer, project: Project, path: string, before: string | null) {
  const wanted = secretsOf(spec, project.conventions).filter(({ from }) => from === 'sealed');
  const there = wanted.length === 0 || before === null ? [] : objectsOf(path, before);
  const objects: KubernetesObject[] = [];
  const notes: string[] = [];
  for (const { name } of wanted) {
    const found = there.find((object) => object.kind === 'SealedSecret' && object.metadata.name === name);
    if (found !== undefined) objects.push(found);
    else
      notes.push(
        `${spec.name}: the Secret ${name} is not sealed yet: sallyport deploy seal ${spec.name} does it`,
      );
  }
  return { objects, notes };
}

/** Values that nobody keeps in git, and that a new server does not start without. */
function neededValues({ spec }: LoadedServer, { conventions }: Project): readonly string[] {
  return secretsOf(spec, conventions).flatMap((secret) => {
    const keys = [...new Set(Object.values(secret.env))].join(', ');
    if (secret.from === 'existing')
      return [`${spec.name}: its namespace is to have the Secret ${secret.name} with ${keys}`];
    if (secret.from !== 'infisical') return [];
    const { projectSlug, envSlug, secretsPath } = infisicalPlace(spec, conventions, secret);
    return [`${spec.name}: Infisical is to have ${keys} at ${secretsPath} (${projectSlug}, ${envSlug})`];
  });
}

async function planMcpJson({ spec }: LoadedServer, project: Project, draft: Draft, nodePort: number | null) {
  const { conventions, root } = project;
  const path = join(root, conventions.mcpJson);
  const outside = nodePort === null ? null : nodeUrl(spec, conventions, nodePort);
  const url = outside ?? clusterUrl(spec, conventions);
  const before = await draft.read(path);
  const { after } = editMcpJson(path, before, [{ set: spec.name, entry: { url } }]);
  draft.write(path, after ?? '');
  if (nodePort === null || outside !== null) return [];
  const { cluster } = namesOf(spec, conventions);
  return [
    `${spec.name}: conventions.yaml names no node of ${cluster}, so ${conventions.mcpJson} has the address inside of the cluster`,
  ];
}

/** For a public name: what a chart and DNS are given, beside the spec. */
async function planExposure(
  { spec, folder }: LoadedServer,
  project: Project,
  draft: Draft,
): Promise<readonly string[]> {
  const record = terraformCname(spec, project.conventions);
  if (record === null) return [];
  const { workload } = namesOf(spec, project.conventions);
  const dns = join(folder, `${workload}.dns.tf`);
  await draft.read(dns);
  draft.write(dns, record);
  const path = join(folder, `${workload}.values.yaml`);
  const before = await draft.read(path);
  const values = helmValues(spec, project.conventions);
  if (values !== null) draft.write(path, printYaml(values));
  else if (before !== null) {
    return [
      `${spec.name}: ${shownPath(project, path)} opens the server to everybody, as expose.ingress.auth is not oauth: remove it`,
    ];
  }
  return [];
}

/** Files that were made from a server.yaml that is gone: nobody changes them any more. */
export async function orphanNotes(
  project: Project,
  servers: readonly LoadedServer[],
): Promise<readonly string[]> {
  const sources = new Set(servers.map(({ path }) => shownPath(project, path)));
  const entries = await readdir(project.folder).catch(() => []);
  const notes: string[] = [];
  for (const name of entries.filter((one) => one.endsWith('.yaml')).sort()) {
    const path = join(project.folder, name);
    const source = madeFrom((await readText(path)) ?? '');
    if (source === null || sources.has(source)) continue;
    notes.push(
      `${shownPath(project, path)} was made from ${source}, which is gone: remove both, and its entry`,
    );
  }
  return notes;
}

function refuseSameNames(servers: readonly LoadedServer[], project: Project): void {
  const paths = new Map<string, string>();
  for (const { spec, path } of servers) {
    const shown = relative(project.root, path);
    const other = paths.get(spec.name);
    if (other !== undefined) {
      throw new CommandError('spec.name-taken', `${shown} and ${other} both are named ${spec.name}`, [
        'Two servers cannot have the same manifests: rename one.',
      ]);
    }
    paths.set(spec.name, shown);
  }
}

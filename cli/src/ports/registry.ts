import { join } from 'node:path';
import { z } from 'zod';
import { CommandError } from '../command-error.ts';
import { applyEdits } from '../files/apply-edits.ts';
import type { FileChange } from '../files/file-change.ts';
import { readText } from '../files/read-text.ts';
import { insertItem } from '../files/yaml-edit.ts';
import { type Place, parseYaml, readYamlFile, type YamlDocument } from '../files/yaml-file.ts';
import { removeValue } from '../files/yaml-remove.ts';
import { printYaml } from '../manifests/print.ts';
import { type Project, shownPath } from '../spec/load.ts';
import { serverName } from '../spec/server-spec.ts';

/** One NodePort that is given out. */
export interface PortEntry {
  /** Of the server. */
  readonly name: string;
  readonly port: number;
  readonly owner: string;
  /** The day, as 2026-01-15. */
  readonly since: string;
}

/** The file in git that says who has which NodePort. */
export interface PortRegistry {
  /** Absolute. */
  readonly path: string;
  /** As people are told of it. */
  readonly shown: string;
  /** `null`: there is none yet. */
  readonly text: string | null;
  readonly entries: readonly PortEntry[];
}

/** Who has a port, as people are told: `Service ai-platform/github-mcp of github-mcp.yaml`. */
export interface PortUse {
  readonly port: number;
  /** The server that it belongs to, as far as its name tells. */
  readonly name: string;
  readonly by: string;
}

export interface TakenPort {
  readonly port: number;
  readonly registry: PortRegistry;
  readonly change: FileChange;
}

const day = z.string().regex(/^\d{4}-\d{2}-\d{2}$/, 'must be a day, such as 2026-01-15');
const portEntry = z.strictObject(
  {
    name: serverName,
    port: z.int('must be a whole number').min(1, 'must be 1 to 65535').max(65_535, 'must be 1 to 65535'),
    owner: z.string().min(1),
    since: day,
  },
  'must have name, port, owner and since',
);

/** An object that kustomize and Flux leave out, so that the file may lie among the manifests. */
const fresh = `# NodePorts of MCP servers: sallyport deploy ports take <name> adds one.
apiVersion: sallyport.dev/v1
kind: NodePortRegistry
metadata:
  name: nodeports
  annotations:
    config.kubernetes.io/local-config: "true"
ports: []
`;

export const registryPath = ({ folder, conventions }: Project): string =>
  join(folder, conventions.nodePorts.registry);

/** Reads the registry; refuses one that says nonsense, with the place of each mistake. */
export async function readRegistry(project: Project): Promise<PortRegistry> {
  return registryOf(project, await readText(registryPath(project)));
}

/** As `readRegistry`, of a text that is not written yet. */
export function registryOf(project: Project, text: string | null): PortRegistry {
  const path = registryPath(project);
  const shown = shownPath(project, path);
  return text === null ? { path, shown, text, entries: [] } : parseRegistry({ path, shown }, text);
}

function parseRegistry(where: Pick<PortRegistry, 'path' | 'shown'>, text: string): PortRegistry {
  const { path, shown } = where;
  const [document] = readYamlFile(shown, text).documents;
  const { entries, mistakes } = entriesOf(document);
  if (mistakes.length === 0) return { path, shown, text, entries };
  throw new CommandError(
    'ports.registry-invalid',
    `${shown} is not a registry of NodePorts.`,
    mistakes.map(({ line, column, message }) => `${shown}:${line}:${column}: ${message}`),
  );
}

/** The entries that can be read, and what is wrong with the others. */
export function entriesOf(document: YamlDocument | undefined): {
  readonly entries: readonly (PortEntry & Place)[];
  readonly mistakes: readonly (Place & { readonly message: string })[];
} {
  const entries: (PortEntry & Place)[] = [];
  const mistakes: (Place & { readonly message: string })[] = [];
  if (document === undefined || document.object === null) return { entries, mistakes };
  const { ports } = document.object as { readonly ports?: unknown };
  if (ports !== null && !Array.isArray(ports)) {
    mistakes.push({ ...document.at(['ports']), message: 'ports must be a list of name, port, owner, since' });
  }
  for (const [index, item] of Array.isArray(ports) ? ports.entries() : []) {
    const read = portEntry.safeParse(item);
    if (read.success) entries.push({ ...read.data, ...document.at(['ports', index, 'port']) });
    for (const { path, message } of read.error?.issues ?? []) {
      const at = ['ports', index, ...path.map((step) => (typeof step === 'symbol' ? '' : step))];
      mistakes.push({ ...document.at(at), message: `${path.join('.') || 'the entry'} ${message}` });
    }
  }
  return { entries, mistakes };
}

/**
 * Gives the server a port: the one it has, the one it asks for, or the lowest that nobody has. A port that anybody else
 * has, by the registry or by `used` (manifests, Services of a cluster), is refused with who that is.
 */
export function takePort(
  registry: PortRegistry,
  wanted: { readonly name: string; readonly owner: string; readonly port?: number },
  context: { readonly project: Project; readonly today: string; readonly used: readonly PortUse[] },
): TakenPort {
  const { name, owner } = wanted;
  const own = registry.entries.find((entry) => entry.name === name);
  if (own !== undefined && (wanted.port === undefined || wanted.port === own.port)) {
    return { port: own.port, registry, change: changeOf(registry, registry.text) };
  }
  if (own !== undefined) {
    throw new CommandError('ports.has-one', `${name} has port ${own.port} since ${own.since}.`, [
      `sallyport deploy ports release ${name} gives it back first.`,
    ]);
  }
  const port = wanted.port ?? lowestFree(registry, name, context);
  const holder = holderOf(registry, context.used, port, name);
  if (holder !== null) {
    throw new CommandError('ports.taken', `Port ${port} is taken by ${holder}.`, [
      `sallyport deploy ports take ${name} takes the lowest one that is free.`,
    ]);
  }
  refuseOutside(port, context.project);
  const text = withEntry(registry, { name, port, owner, since: context.today });
  return { port, registry: parseRegistry(registry, text), change: changeOf(registry, text) };
}

export function releasePort(registry: PortRegistry, name: string): TakenPort {
  const index = registry.entries.findIndex((entry) => entry.name === name);
  const entry = registry.entries[index];
  if (entry === undefined || registry.text === null) {
    throw new CommandError('ports.unknown', `${name} has no port in the registry.`, [
      'sallyport deploy ports list shows who has one.',
    ]);
  }
  const [document] = readYamlFile(registry.shown, registry.text).documents;
  const edits = document === undefined ? null : removeValue(document, ['ports', index]);
  const text = exact(registry, edits);
  return {
    port: entry.port,
    registry: parseRegistry(registry, text),
    change: changeOf(registry, text),
  };
}

/** Who has the port, other than the server itself. */
function holderOf(
  { entries }: PortRegistry,
  used: readonly PortUse[],
  port: number,
  name: string,
): string | null {
  const entry = entries.find((one) => one.port === port && one.name !== name);
  if (entry !== undefined) return `${entry.name} (${entry.owner}, since ${entry.since})`;
  return used.find((use) => use.port === port && use.name !== name)?.by ?? null;
}

function lowestFree(
  registry: PortRegistry,
  name: string,
  { project, used }: { readonly project: Project; readonly used: readonly PortUse[] },
): number {
  const deployed = used.find((use) => use.name === name && isInRange(use.port, project));
  if (deployed !== undefined && holderOf(registry, used, deployed.port, name) === null) return deployed.port;
  const { from, to } = project.conventions.nodePorts.range;
  for (let port = from; port <= to; port++) {
    if (holderOf(registry, used, port, name) === null) return port;
  }
  throw new CommandError('ports.none-free', `Every port from ${from} to ${to} is taken.`, [
    'Release one that nobody needs, or make nodePorts.range of conventions.yaml wider.',
  ]);
}

/** Whether the conventions allow it, as a new port or as one given out before. */
export function isInRange(port: number, { conventions }: Pick<Project, 'conventions'>): boolean {
  const { range, legacy } = conventions.nodePorts;
  const within = ({ from, to }: { from: number; to: number }) => port >= from && port <= to;
  return within(range) || (legacy !== null && within(legacy));
}

function refuseOutside(port: number, project: Project): void {
  if (isInRange(port, project)) return;
  const { range, legacy } = project.conventions.nodePorts;
  const old = legacy === null ? '' : `, or ${legacy.from} to ${legacy.to}`;
  throw new CommandError(
    'ports.outside',
    `Port ${port} is not one for MCP servers: they have ${range.from} to ${range.to}${old}.`,
  );
}

function withEntry(registry: PortRegistry, entry: PortEntry): string {
  const text = registry.text ?? fresh;
  const [document] = readYamlFile(registry.shown, text).documents;
  if (document === undefined || document.object === null)
    return `${text}${fresh}`.replace('[]', () => printed(entry));
  return exact({ ...registry, text }, insertItem(document, ['ports'], registry.entries.length, entry));
}

const printed = (entry: PortEntry): string => `\n${printYaml([entry]).trimEnd()}`.replaceAll('\n', '\n  ');

function exact(registry: PortRegistry, edits: ReturnType<typeof insertItem>): string {
  if (edits !== null && registry.text !== null) return applyEdits(registry.text, edits);
  throw new CommandError(
    'ports.not-editable',
    `${registry.shown} cannot be edited; write ports as a plain list.`,
  );
}

const changeOf = ({ path, text }: PortRegistry, after: string | null): FileChange => ({
  path,
  before: text,
  after,
});

/** Ports of the Services in a file of manifests; what cannot be read has none. */
export function portsOfManifest(path: string, text: string, suffix: string): readonly PortUse[] {
  return parseYaml(path, text).file.documents.flatMap(({ object }) => portsOfService(object, suffix, path));
}

interface ServiceLike {
  readonly kind?: unknown;
  readonly metadata?: { readonly name?: unknown; readonly namespace?: unknown };
  readonly spec?: { readonly ports?: unknown; readonly healthCheckNodePort?: unknown };
}

/** Ports that a Service has on every node; nothing of any other object. */
export function portsOfService(object: unknown, suffix: string, where: string): readonly PortUse[] {
  if (typeof object !== 'object' || object === null || (object as ServiceLike).kind !== 'Service') return [];
  const { metadata = {}, spec = {} } = object as ServiceLike;
  const title = `${metadata.name}`;
  const name = title.endsWith(suffix) ? title.slice(0, -suffix.length) : title;
  const by = `Service ${typeof metadata.namespace === 'string' ? `${metadata.namespace}/` : ''}${title} of ${where}`;
  const ports = Array.isArray(spec.ports) ? spec.ports : [];
  return [
    ...ports.map((one: unknown) => (one as { nodePort?: unknown } | null)?.nodePort),
    spec.healthCheckNodePort,
  ]
    .filter((port) => typeof port === 'number')
    .map((port) => ({ port, name, by }));
}

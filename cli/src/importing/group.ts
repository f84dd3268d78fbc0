import { CommandError } from '../command-error.ts';
import { isMapping } from '../files/values.ts';
import { fieldsAt, textAt, textsAt } from '../manifests/fields.ts';
import { fits, type Labels, readSelector } from '../manifests/label-selector.ts';
import { objectTitle } from '../manifests/object.ts';
import type { Source } from './source.ts';

/** A Deployment with everything that belongs to it. */
export interface Group {
  readonly deployment: Source;
  readonly others: readonly Source[];
}

/** Puts every object to the Deployment that it serves: by selectors, by names that are referred to, by the file. */
export function groupSources(sources: readonly Source[]): readonly Group[] {
  const groups = sources
    .filter(({ object }) => object.kind === 'Deployment')
    .map((deployment) => ({ deployment, others: [] as Source[] }));
  if (groups.length === 0) {
    throw new CommandError('import.no-deployment', 'there is no Deployment in these files', [
      'Give the file with the Deployment of the server, and those with what belongs to it.',
    ]);
  }
  const rest = sources.filter(({ object }) => object.kind !== 'Deployment');
  const later: Source[] = [];
  for (const source of rest) {
    const group = groups.find(({ deployment }) => belongs(source, deployment));
    if (group === undefined) later.push(source);
    else group.others.push(source);
  }
  for (const source of later) groupOfRest(source, groups).others.push(source);
  return groups;
}

function groupOfRest(source: Source, groups: readonly { deployment: Source; others: Source[] }[]) {
  const words = wordsOf(source.object);
  const byName = groups.find(({ others }) => others.some(({ object }) => words.has(object.metadata.name)));
  const inFile = groups.filter(({ deployment }) => deployment.path === source.path);
  const only = groups.length === 1 ? groups : inFile;
  const [chosen] = byName === undefined ? only : [byName];
  if (chosen !== undefined && (byName !== undefined || only.length === 1)) return chosen;
  throw new CommandError(
    'import.unassigned',
    `${objectTitle(source.object)} of ${source.path} belongs to none of the Deployments that can be told`,
    ['Import the servers one by one, each with its own files.'],
  );
}

function belongs({ object }: Source, { object: deployment }: Source): boolean {
  const { name } = deployment.metadata;
  if (
    object.metadata.namespace !== deployment.metadata.namespace &&
    object.metadata.namespace !== undefined
  ) {
    if (deployment.metadata.namespace !== undefined) return false;
  }
  if (object.metadata.name === name || object.metadata.name.startsWith(`${name}-`)) return true;
  const { selector, podSelector } = fieldsAt(object, 'spec');
  const selectors = [object.kind === 'Service' ? { matchLabels: selector } : selector, podSelector];
  if (selectors.some((one) => selectsPods(one, deployment))) return true;
  const account = textAt(deployment, 'spec', 'template', 'spec', 'serviceAccountName');
  const words = wordsOf(object);
  if (words.has(name) || (account !== undefined && words.has(account))) return true;
  return wordsOf(fieldsAt(deployment, 'spec', 'template', 'spec')).has(object.metadata.name);
}

/** Of the pods, and what selects them where the template forgot it. */
function podLabels(deployment: unknown): Labels {
  return {
    ...textsAt(deployment, 'spec', 'selector', 'matchLabels'),
    ...textsAt(deployment, 'spec', 'template', 'metadata', 'labels'),
  };
}

/** Whether a selector as policies and budgets have it is about the pods of the Deployment. */
export function selectsPods(selector: unknown, deployment: unknown): boolean {
  const read = readSelector(selector);
  return read !== null && fits(read, podLabels(deployment));
}

/** Every text that a value of it is, without its metadata: names of other objects are among them. */
function wordsOf(value: unknown): ReadonlySet<string> {
  const words = new Set<string>();
  const collect = (inner: unknown, name: string): void => {
    if (typeof inner === 'string') words.add(inner);
    else if (Array.isArray(inner)) for (const item of inner) collect(item, name);
    else if (isMapping(inner) && name !== 'metadata' && name !== 'data') {
      for (const [field, one] of Object.entries(inner)) collect(one, field);
    }
  };
  if (isMapping(value)) for (const [field, one] of Object.entries(value)) collect(one, field);
  return words;
}

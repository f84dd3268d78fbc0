import { CommandError } from '../command-error.ts';
import type { KubernetesObject } from '../manifests/object.ts';
import { objectTitle } from '../manifests/object.ts';
import type { Io } from '../output/io.ts';
import type { Cluster } from './cluster.ts';
import type { ObjectDiff } from './live-diff.ts';
import { type Owner, ownerTitle } from './owners.ts';

/** Why nothing of a server may be applied; throws that. */
export function refuseTrouble(name: string, diffs: readonly ObjectDiff[], force: boolean): void {
  const outage = diffs.find(({ selectorChange }) => selectorChange);
  if (outage !== undefined) {
    throw new CommandError(
      'apply.selector',
      `${outage.title} would get another selector, which is an outage`,
      [`Nothing was applied. sallyport deploy migrate ${name} labels changes it without one.`],
    );
  }
  const refused = diffs.filter(({ refusal }) => refusal !== null);
  if (refused.length > 0) {
    throw new CommandError(
      'apply.refused',
      `The cluster would refuse ${refused.length} of ${diffs.length} objects`,
      [
        ...refused.map(({ title, refusal }) => `${title}: ${refusal}`),
        ...portAdvice(refused),
        'Nothing was applied.',
      ],
    );
  }
  const conflicts = force ? [] : diffs.filter((diff) => diff.conflicts.length > 0);
  if (conflicts.length === 0) return;
  throw new CommandError('apply.conflict', 'Somebody else has applied fields that differ', [
    ...conflicts.flatMap(({ title, conflicts: fields }) =>
      fields.map(({ field, owner }) => `${title}: ${field}, by ${owner}`),
    ),
    'Nothing was applied. --force-conflicts takes these fields over.',
  ]);
}

function portAdvice(refused: readonly ObjectDiff[]): string[] {
  if (!refused.some(({ refusal }) => refusal?.includes('provided port is already allocated'))) return [];
  return [
    'Another Service of the cluster has this NodePort: sallyport deploy ports --live shows which, expose.nodePort takes another.',
  ];
}

/** Who keeps objects of a server, and would undo what we apply. */
export function keptBy(diffs: readonly ObjectDiff[]): Owner | null {
  return diffs.find(({ owner }) => owner !== null)?.owner ?? null;
}

export function keptAdvice(owner: Owner): string {
  const how =
    owner.tool === 'Helm'
      ? 'Helm would undo it with the next upgrade: change its values, or take the objects out of the release.'
      : `${owner.tool} would undo it: commit and push the files, and it applies them.`;
  return `Nothing was applied, as ${ownerTitle(owner)} keeps these objects. ${how}`;
}

/** Applies in order. What was applied before a failure is told: the rest is applied by running it again. */
export async function applyAll(
  io: Pick<Io, 'signal'>,
  cluster: Cluster,
  objects: readonly KubernetesObject[],
  force: boolean,
  onApplied: (object: KubernetesObject) => void,
): Promise<void> {
  const applied: string[] = [];
  for (const object of objects) {
    try {
      io.signal.throwIfAborted();
      await cluster.apply(object, { force });
    } catch (error) {
      if (applied.length === 0) throw error;
      const why = error instanceof Error ? error.message : String(error);
      throw new CommandError(
        'apply.half',
        `${objectTitle(object)} was not applied: ${why}`,
        [
          `Applied before it: ${applied.join(', ')}.`,
          'Running it again applies the rest; what is there already stays as it is.',
        ],
        { cause: error },
      );
    }
    applied.push(objectTitle(object));
    onApplied(object);
  }
}

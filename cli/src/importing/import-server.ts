import { basename } from 'node:path';
import { CommandError } from '../command-error.ts';
import { type Fields, fieldsAt, itemsAt, textsAt } from '../manifests/fields.ts';
import { generate } from '../manifests/generate.ts';
import { namesOf, selectorOf } from '../manifests/names.ts';
import { type KubernetesObject, objectTitle } from '../manifests/object.ts';
import { pathText } from '../spec/document.ts';
import type { LoadedServer, Project } from '../spec/load.ts';
import type { Mistake } from '../spec/mistake.ts';
import { specMistakes } from '../spec/rules.ts';
import { serverSpec } from '../spec/server-spec.ts';
import { containingPatch } from './containing-patch.ts';
import { type Group, selectsPods } from './group.ts';
import { inConvention } from './in-convention.ts';
import { nonEmpty, recognised } from './recognise.ts';
import { leadsTo } from './recognise-network.ts';
import type { SpecFields } from './recognise-pod.ts';
import { type Shape, shapeOf } from './shape.ts';

/** A server.yaml that was read out of manifests. */
export interface Imported {
  readonly name: string;
  /** As it is written: what the conventions say anyway is left out. */
  readonly spec: SpecFields;
  /** Files of the pattern `configmap`. */
  readonly code: Readonly<Record<string, string>>;
  /** What the convention changes of what the manifests say. */
  readonly told: readonly string[];
  /** What it adds that may matter to who runs the server. */
  readonly notes: readonly string[];
}

/**
 * Reads a server.yaml out of the manifests of one server. Whatever the spec has no word for becomes a patch or an object of
 * it; that nothing got lost is checked before it is believed. `target`: the file that generation will write.
 */
export function importServer(group: Group, project: Project, target: string): Imported {
  const { conventions } = project;
  const shape = shapeOf(group, conventions);
  const fields = recognised(group, shape, project, target);
  const code = textsAt(shape.code?.object, 'data');
  const sealed = group.others
    .filter(({ object, path }) => object.kind === 'SealedSecret' && path === target)
    .map(({ object }) => object);
  const make = (spec: SpecFields): KubernetesObject[] => {
    const server: LoadedServer = { spec: serverSpec.parse(spec), path: target, folder: '', code };
    const isAuto = server.spec.expose.nodePort === 'auto';
    return generate(server, project, { sealed, ...(isAuto && { nodePort: 0 }) });
  };
  const spec = serverSpec.parse(fields);
  refuseMistakes(shape.name, specMistakes(spec, conventions));
  const base = make(fields);
  const deployment = base.find(({ kind }) => kind === 'Deployment');
  if (deployment === undefined) throw new Error('every server has a Deployment');
  const names = namesOf(spec, conventions);
  const { objects, told } = inConvention(group, shape, names, selectorOf(spec, conventions), deployment);
  const rest = leftOver(objects, base);
  if (
    spec.expose.ingress === undefined &&
    group.others.some(({ object }) => object.kind === 'Ingress' && leadsTo(object, shape))
  ) {
    rest.patches.push(ingressControllerPatch(make({ ...fields, ...rest }), conventions.ingress.namespace));
  }
  const complete = { ...fields, patches: nonEmpty(rest.patches), objects: nonEmpty(rest.objects) };
  refuseLoss(objects, make(complete));
  return {
    name: shape.name,
    spec: Object.fromEntries(Object.entries(complete).filter(([, value]) => value !== undefined)),
    code,
    told: [...told, ...[group.deployment, ...group.others].flatMap(({ mended = [] }) => mended)],
    notes: notesOf(group, shape, spec.egress === 'any', fields),
  };
}

/** What the generated objects do not say: as patches where there is such an object, else as objects. */
function leftOver(objects: readonly KubernetesObject[], made: readonly KubernetesObject[]) {
  const patches: { kind: string; name?: string; patch: Fields }[] = [];
  const further: KubernetesObject[] = [];
  for (const object of objects) {
    const same = counterpart(object, made);
    if (same === undefined) {
      further.push(object);
      continue;
    }
    const patch = containingPatch(object, same) as Fields | undefined;
    const several = made.filter(({ kind }) => kind === object.kind).length > 1;
    if (patch !== undefined) {
      patches.push({ kind: object.kind, ...(several && { name: object.metadata.name }), patch });
    }
  }
  return { patches, objects: further };
}

const counterpart = (
  object: KubernetesObject,
  made: readonly KubernetesObject[],
): KubernetesObject | undefined =>
  made.find(
    ({ apiVersion, kind, metadata }) =>
      apiVersion === object.apiVersion &&
      kind === object.kind &&
      metadata.name === object.metadata.name &&
      metadata.namespace === object.metadata.namespace,
  );

/** An Ingress that stays as it is still needs its controller to be let in. */
function ingressControllerPatch(made: readonly KubernetesObject[], namespace: string) {
  const policy = made.find(({ kind }) => kind === 'NetworkPolicy');
  const rules = itemsAt(policy, 'spec', 'ingress');
  const from = [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } } }];
  const rule = { from, ports: rules[0]?.ports };
  return { kind: 'NetworkPolicy', patch: { spec: { ingress: [...rules, rule] } } };
}

/** What no server.yaml may say, and no manifest should: a request above its limit, a variable set twice. */
function refuseMistakes(name: string, mistakes: readonly Mistake[]): void {
  if (mistakes.length === 0) return;
  throw new CommandError(
    'import.mistakes',
    `the manifests of ${name} say what no server may`,
    mistakes.map(({ path, message }) => `${pathText(path)} ${message}`),
  );
}

/** The last word: everything that the manifests said is said by what comes out. */
function refuseLoss(objects: readonly KubernetesObject[], made: readonly KubernetesObject[]): void {
  const lost = objects.filter((object) => {
    const same = counterpart(object, made);
    return same === undefined || containingPatch(object, same) !== undefined;
  });
  if (lost.length === 0) return;
  throw new CommandError('import.loss', 'these manifests cannot be imported without losing something', [
    ...lost.map((object) => `${objectTitle(object)} would not come out as it is`),
    'Nothing was written. sallyport deploy lint says what is wrong with them.',
  ]);
}

function notesOf(group: Group, shape: Shape, isOpen: boolean, fields: SpecFields): readonly string[] {
  const { container, pod } = shape;
  const notes: string[] = [];
  const isGuarded = group.others.some(
    ({ object }) =>
      object.kind === 'NetworkPolicy' &&
      selectsPods(fieldsAt(object, 'spec', 'podSelector'), group.deployment.object),
  );
  if (fields.owner === 'unknown') notes.push('owner: nobody is named; say who answers for it');
  if (!isGuarded) notes.push('a NetworkPolicy is added: only the gateway may call it inside the cluster');
  if (isOpen) notes.push('egress: any, as until now; list what it needs to close the rest');
  if (container.resources === undefined) notes.push('resources: those of the conventions are added');
  if (pod.securityContext === undefined && container.securityContext === undefined) {
    notes.push('it will run without root, with a read-only file system: writable names what it writes to');
  }
  for (const { object } of group.others) {
    if (object.kind !== 'Secret') continue;
    notes.push(
      `${objectTitle(object)} has its values in git: seal it (sallyport deploy seal) and change them`,
    );
  }
  const image = `${fields.image ?? ''}`;
  if (/:latest$|^[^:@]+$/.test(basename(image)) && image !== '')
    notes.push(`image: ${image} is another one each day: name a version`);
  return notes;
}

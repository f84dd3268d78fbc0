import { isDeepStrictEqual } from 'node:util';
import { type Fields, fieldsAt, itemsAt, mapDeep, textsAt } from '../manifests/fields.ts';
import { fits, readSelector, selectorText } from '../manifests/label-selector.ts';
import { annotation } from '../manifests/metadata.ts';
import { componentLabel, type Names, nameLabel, portName } from '../manifests/names.ts';
import { type KubernetesObject, objectTitle } from '../manifests/object.ts';
import { type Group, selectsPods } from './group.ts';
import { podInConvention } from './pod-in-convention.ts';
import { leadsTo } from './recognise-network.ts';
import { portNumber } from './recognise-pod.ts';
import type { Shape } from './shape.ts';

/** Labels that the convention sets, and those that others use in their place. */
const ofConvention = new Set([
  nameLabel,
  componentLabel,
  'app.kubernetes.io/version',
  'app.kubernetes.io/managed-by',
]);
const legacy = new Set(['app', 'component', 'k8s-app']);

export const isOwnLabel = (label: string): boolean => !ofConvention.has(label) && !legacy.has(label);

export interface InConvention {
  /** What the manifests say, by the names that the convention has for it. */
  readonly objects: readonly KubernetesObject[];
  /** What had to be changed for that, as people are told. */
  readonly told: readonly string[];
}

interface Rewriting {
  readonly group: Group;
  readonly shape: Shape;
  readonly names: Names;
  readonly selector: Readonly<Record<string, string>>;
  /** As it is generated so far. */
  readonly made: KubernetesObject;
  readonly tell: (what: string) => void;
}

/**
 * Says the same with the names of the convention: labels and selectors, the container, its port, volumes that are
 * generated, the ConfigMap with the code. Everything else stays as it is.
 */
export function inConvention(
  group: Group,
  shape: Shape,
  names: Names,
  selector: Readonly<Record<string, string>>,
  made: KubernetesObject,
): InConvention {
  const told: string[] = [];
  const tell = (what: string) => void (told.includes(what) || told.push(what));
  const rewriting: Rewriting = { group, shape, names, selector, made, tell };
  const sources = [group.deployment, ...group.others];
  const labels = sources.flatMap(({ object }) => Object.keys(fieldsAt(object, 'metadata', 'labels')));
  const lost = [...new Set(labels.filter((label) => legacy.has(label)))];
  if (lost.length > 0) tell(`labels ${lost.join(', ')} become ${nameLabel} and ${componentLabel}`);
  const objects = sources.map(({ object }) => rewritten(withMetadata(object, rewriting), rewriting));
  return { objects: objects.map((object) => object as unknown as KubernetesObject), told };
}

function rewritten(object: KubernetesObject, rewriting: Rewriting): Fields {
  const { shape, names } = rewriting;
  if (object.kind === 'Deployment') return deployment(object, rewriting);
  if (object.kind === 'Service') return service(object, rewriting);
  if (object.kind === 'ConfigMap' && object.metadata.name === shape.code?.object.metadata.name) {
    return renamed(object, names.codeConfigMap, rewriting);
  }
  if (object.kind === 'Ingress' && leadsTo(object, shape)) return ingress(object, rewriting);
  if (object.kind === 'NetworkPolicy') return selecting(object, 'podSelector', rewriting);
  if (object.kind === 'PodDisruptionBudget') return selecting(object, 'selector', rewriting);
  if (object.kind === 'ServiceMonitor') return serviceMonitor(object, rewriting);
  return object;
}

function withMetadata(object: KubernetesObject, { names }: Rewriting): KubernetesObject {
  const labels = textsAt(object, 'metadata', 'labels');
  const kept = Object.fromEntries(Object.entries(labels).filter(([label]) => isOwnLabel(label)));
  const { labels: _, ...metadata } = object.metadata;
  const namespace = object.metadata.namespace ?? names.namespace;
  return {
    ...object,
    metadata: { ...metadata, namespace, ...(Object.keys(kept).length > 0 && { labels: kept }) },
  };
}

function renamed(object: KubernetesObject, name: string, { tell }: Rewriting): KubernetesObject {
  if (object.metadata.name !== name) tell(`${objectTitle(object)} becomes ${name}`);
  return { ...object, metadata: { ...object.metadata, name } };
}

function deployment(object: KubernetesObject, rewriting: Rewriting): Fields {
  const { made, names, selector, shape, tell } = rewriting;
  const before = fieldsAt(object, 'spec', 'selector');
  if (!isDeepStrictEqual(before, { matchLabels: selector })) {
    const told = selectorText(readSelector(before) ?? {});
    tell(
      `the selector of ${objectTitle(object)} (${told || 'none'}) cannot be changed in place: needs sallyport deploy migrate ${shape.name} labels`,
    );
  }
  if (object.metadata.name !== names.workload) {
    tell(
      `${objectTitle(object)} becomes ${names.workload}, another object: needs sallyport deploy migrate ${shape.name} labels`,
    );
  }
  const spec = fieldsAt(object, 'spec');
  const template = fieldsAt(spec, 'template');
  const labels = Object.entries(fieldsAt(template, 'metadata', 'labels')).filter(([label]) =>
    isOwnLabel(label),
  );
  const { [annotation.codeChecksum]: _, ...annotations } = fieldsAt(template, 'metadata', 'annotations');
  return {
    ...object,
    metadata: { ...object.metadata, name: names.workload },
    spec: {
      ...spec,
      selector: { matchLabels: selector },
      template: {
        ...template,
        metadata: {
          ...fieldsAt(template, 'metadata'),
          labels: Object.fromEntries(labels),
          ...(Object.keys(annotations).length > 0 && { annotations }),
        },
        spec: podInConvention(shape, names, made, tell),
      },
    },
  };
}

function service(object: KubernetesObject, rewriting: Rewriting): Fields {
  const { shape, names, tell } = rewriting;
  const chosen = selecting(object, null, rewriting);
  const isMain = object.metadata.name === shape.service?.object.metadata.name;
  if (isMain && object.metadata.name !== names.workload) {
    tell(
      `${objectTitle(object)} becomes ${names.workload}: its address changes, needs sallyport deploy migrate`,
    );
  }
  const ports = itemsAt(object, 'spec', 'ports').map((one) => {
    const target = portNumber(one.targetPort ?? one.port, shape.container);
    const isMcp = target === shape.port;
    const same = isMain && one === shape.servicePort;
    const metrics = itemsAt(shape.container, 'ports').find((port) => port.name === 'metrics')?.containerPort;
    const at = isMcp ? portName : target !== undefined && target === metrics ? 'metrics' : one.targetPort;
    return { ...one, ...(same && { name: portName }), ...(at !== undefined && { targetPort: at }) };
  });
  const metadata = isMain ? { ...object.metadata, name: names.workload } : object.metadata;
  return { ...chosen, metadata, spec: { ...fieldsAt(chosen, 'spec'), ports } };
}

/** With the selector of the convention, where it selects the server's pods. `null`: the selector is not below matchLabels. */
function selecting(
  object: KubernetesObject,
  field: 'podSelector' | 'selector' | null,
  rewriting: Rewriting,
): Fields {
  const { group, selector } = rewriting;
  const name = field ?? 'selector';
  const before = fieldsAt(object, 'spec', name);
  const ours = selectsPods(field === null ? { matchLabels: before } : before, group.deployment.object);
  const named = field === null && object.metadata.name === rewriting.shape.service?.object.metadata.name;
  if (!ours && !named) return object;
  const after = field === null ? selector : { matchLabels: selector };
  return { ...object, spec: { ...fieldsAt(object, 'spec'), [name]: after } };
}

function serviceMonitor(object: KubernetesObject, { shape, selector, group }: Rewriting): Fields {
  const spec = fieldsAt(object, 'spec');
  const wanted = readSelector(spec.selector);
  const services = group.others.filter((one) => one.object.kind === 'Service');
  const ours = services.some(
    (one) => wanted !== null && fits(wanted, textsAt(one.object, 'metadata', 'labels')),
  );
  if (!ours) return object;
  const endpoints = itemsAt(spec, 'endpoints').map((one) =>
    one.port === shape.servicePort.name && one.port !== undefined ? { ...one, port: portName } : one,
  );
  return {
    ...object,
    spec: { ...spec, selector: { matchLabels: selector }, endpoints },
  };
}

function ingress(object: KubernetesObject, { shape, names }: Rewriting): Fields {
  const backendPort = (port: Fields): Fields => {
    const isMcp = port.name === shape.servicePort.name || port.number === shape.servicePort.port;
    return isMcp ? { name: portName } : port;
  };
  return mapDeep(object, (fields) => {
    const backend = fieldsAt(fields, 'service');
    if (backend.name !== shape.service?.object.metadata.name) return fields;
    return {
      ...fields,
      service: { ...backend, name: names.workload, port: backendPort(fieldsAt(backend, 'port')) },
    };
  }) as Fields;
}

import { type FieldMistake, invalid, mistake, required } from './api-fault.ts';
import { isSame, type Json } from './json.ts';
import type { Kind } from './kinds.ts';
import { selects } from './selectors.ts';

const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const dnsLabel = /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/;

/** What the API server refuses of an object, in its words. `before` is null for one that is new. */
export function validate(kind: Kind, before: Json | null, after: Json): void {
  const mistakes = [
    ...nameMistakes(kind, after),
    ...(kind.kind === 'Deployment' ? deploymentMistakes(before, after) : []),
    ...(kind.kind === 'Service' ? serviceMistakes(before, after) : []),
    ...(kind.kind === 'Secret' && before?.immutable === true ? [mistake('data', null, immutable)] : []),
    ...(kind.kind === 'ConfigMap' ? configMapMistakes(before, after) : []),
  ];
  if (mistakes.length > 0) throw invalid(kind, after.metadata.name, mistakes);
}

const immutable = 'field is immutable';

function nameMistakes({ kind }: Kind, { metadata }: Json): FieldMistake[] {
  const { name } = metadata;
  if (kind === 'Service' && !dnsLabel.test(name)) {
    return [
      mistake(
        'metadata.name',
        name,
        'a DNS-1035 label must consist of lower case alphanumeric characters or "-"',
      ),
    ];
  }
  if (kind.endsWith('Role') || kind.endsWith('RoleBinding') || subdomain.test(name)) return [];
  return [
    mistake(
      'metadata.name',
      name,
      'a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, "-" or "."',
    ),
  ];
}

function deploymentMistakes(before: Json | null, { spec }: Json): FieldMistake[] {
  const found: FieldMistake[] = [];
  const selector = spec?.selector;
  const labels = spec?.template?.metadata?.labels;
  if (selector === undefined) found.push(required('spec.selector'));
  else if (!selects(selector, labels ?? {})) {
    found.push(
      mistake('spec.template.metadata.labels', labels, '`selector` does not match template `labels`'),
    );
  }
  const containers: Json[] = spec?.template?.spec?.containers ?? [];
  if (containers.length === 0) found.push(required('spec.template.spec.containers'));
  containers.forEach((container, at) => {
    if (!container.image) found.push(required(`spec.template.spec.containers[${at}].image`));
  });
  if (before !== null && !isSame(before.spec.selector, spec.selector)) {
    found.push(mistake('spec.selector', spec.selector, immutable));
  }
  return found;
}

function serviceMistakes(before: Json | null, { spec }: Json): FieldMistake[] {
  const found: FieldMistake[] = [];
  const ports: Json[] = spec?.ports ?? [];
  if (ports.length === 0) found.push(required('spec.ports'));
  ports.forEach((port, at) => {
    if (!(port.port >= 1 && port.port <= 65_535)) {
      found.push(mistake(`spec.ports[${at}].port`, port.port, 'must be between 1 and 65535, inclusive'));
    }
    if (ports.length > 1 && !port.name) found.push(required(`spec.ports[${at}].name`));
  });
  const had = before?.spec?.clusterIP;
  if (had && had !== 'None' && spec.clusterIP !== had) {
    found.push(mistake('spec.clusterIPs[0]', [spec.clusterIP], 'may not change once set'));
  }
  return found;
}

function configMapMistakes(before: Json | null, after: Json): FieldMistake[] {
  if (before?.immutable === true && !isSame(before.data, after.data)) {
    return [mistake('data', null, 'field is immutable when `immutable` is set')];
  }
  const size = Object.values(after.data ?? {}).reduce<number>(
    (sum, text) => sum + Buffer.byteLength(String(text)),
    0,
  );
  return size > 1_048_576
    ? [{ field: '[]', reason: 'FieldValueInvalid', message: 'Too long: may not be more than 1048576 bytes' }]
    : [];
}

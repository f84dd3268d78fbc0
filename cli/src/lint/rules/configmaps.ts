import type { Mapping } from '../../files/values.ts';
import { annotation } from '../../manifests/metadata.ts';
import { checksumOf } from '../../manifests/pod.ts';
import type { Repository } from '../repository.ts';
import { containersOf, type Resource, type Workload } from '../resource.ts';
import { at, atKey, type Rule } from '../rule.ts';
import { list, mapping, text, texts } from '../values.ts';

export const configmapNoRoll: Rule = {
  id: 'configmap-no-roll',
  level: 'warning',
  what: 'pods change with the ConfigMaps that they use: a checksum, or a configMapGenerator',
  why: 'A changed ConfigMap starts no new pods: Python that is loaded stays loaded, and the old code runs until somebody deletes the pod. A checksum of the code in the annotations of the template makes every change a new rollout.',
  fixable: true,
  check: (repository, say) => {
    for (const workload of repository.workloads) {
      const used = configMapsOf(workload, repository);
      const [first, ...more] = used;
      if (first === undefined) continue;
      const path = [...workload.template, 'metadata', 'annotations'];
      const annotations = texts(workload.get(path));
      const checksum = checksumOf(texts(first.value.data));
      const given = annotations[annotation.codeChecksum];
      const hasOther = Object.keys(annotations).some((key) => /^checksum\/|config-hash$/.test(key));
      if (given === checksum || (hasOther && given === undefined) || (given !== undefined && more.length > 0))
        continue;
      const where = [...path, annotation.codeChecksum];
      const fix = workload.set(where, checksum);
      if (given === undefined)
        say(
          at(workload, path),
          `A change of ${first.name} starts no new pods: add the annotation ${annotation.codeChecksum} to the template.`,
          { fix },
        );
      else if (/^[0-9a-f]{64}$/.test(given))
        say(
          at(workload, where),
          `${annotation.codeChecksum} is not that of ${first.name}, so its change starts no new pods: write it anew.`,
          { fix },
        );
    }
  },
};

/** ConfigMaps of these manifests that the pods use. */
function configMapsOf(workload: Workload, { find, namespaceOf }: Repository): readonly Resource[] {
  const volumes = list(workload.podSpec.volumes).map(mapping);
  const projected = volumes.flatMap((volume) => list(mapping(volume.projected).sources).map(mapping));
  const names = [...volumes, ...projected].map(({ configMap }) => text(mapping(configMap).name));
  for (const { value } of containersOf(workload)) {
    for (const one of list(value.envFrom)) names.push(text(mapping(mapping(one).configMapRef).name));
    for (const one of list(value.env))
      names.push(text(mapping(mapping(mapping(one).valueFrom).configMapKeyRef).name));
  }
  const known = [...new Set(names)].map((name) => name && find('ConfigMap', namespaceOf(workload), name));
  return known.filter((one) => typeof one === 'object');
}

const maxBytes = 1024 * 1024;

export const configmapSize: Rule = {
  id: 'configmap-size',
  level: 'error',
  what: 'ConfigMaps are at most 1 MiB',
  why: 'etcd takes no more, so the API server refuses the object. Code of that size is no prototype any more: build an image of it.',
  fixable: false,
  check: ({ ofKind }, say) => {
    for (const one of [...ofKind('ConfigMap'), ...ofKind('Secret')]) {
      const bytes = Object.values({ ...texts(one.value.data), ...texts(one.value.binaryData) }).reduce(
        (sum, value) => sum + Buffer.byteLength(value),
        0,
      );
      if (bytes > maxBytes)
        say(
          at(one, ['data']),
          `${one.title} has ${(bytes / maxBytes).toFixed(1)} MiB, and 1 MiB is what there is room for: build an image.`,
        );
    }
  },
};

export const configmapInstall: Rule = {
  id: 'configmap-install',
  level: 'warning',
  what: 'containers install no packages when they start',
  why: 'pip or npm at the start makes every start depend on somebody else being up, takes minutes, and runs code that nobody pinned. It fails on a read-only root and behind a network policy, too.',
  fixable: false,
  check: ({ workloads, ofKind }, say) => {
    const installs =
      /\b(pip3?|uv pip|npm|pnpm|yarn|apt-get|apt|apk)\s+(-\S+\s+)*(install|ci|add)\b|\b(uvx|npx)\s/;
    for (const workload of workloads) {
      for (const { path, value, name } of containersOf(workload)) {
        const words = [...list(value.command), ...list(value.args)].map(String).join(' ');
        const found = installs.exec(words);
        const field = value.command === undefined ? 'args' : 'command';
        if (found !== null)
          say(
            at(workload, [...path, field]),
            `${name} runs ${found[0].trim()} at every start: build an image that has it.`,
          );
      }
    }
    for (const one of ofKind('ConfigMap')) {
      for (const [key, code] of Object.entries(texts(one.value.data))) {
        if (/(subprocess|os\.system|exec(Sync)?)\W.{0,40}\b(pip|npm)\W+install/.test(code))
          say(
            atKey(one, ['data', key]),
            `${key} installs packages when it starts: build an image that has them.`,
          );
      }
    }
  },
};

/** What keys of well-known services look like. */
const secretLike: readonly RegExp[] = [
  /-----BEGIN [A-Z ]*PRIVATE KEY-----/,
  /\bgh[pousr]_[A-Za-z0-9]{36}\b/,
  /\bgithub_pat_[A-Za-z0-9_]{50,}/,
  /\bxox[baprs]-[A-Za-z0-9-]{10,}/,
  /\bAKIA[0-9A-Z]{16}\b/,
  /\bsk-[A-Za-z0-9_-]{20,}/,
  /\bglpat-[A-Za-z0-9_-]{20}/,
  /\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}/,
  /(?:password|passwd|secret|token|api_?key)["']?\s*[:=]\s*["'](?!\$|<|\{|x{3}|\*{3}|change|example|your)[^"'\s]{12,}["']/i,
];

const looksSecret = (value: string): boolean => secretLike.some((pattern) => pattern.test(value));

export const configmapSecret: Rule = {
  id: 'configmap-secret',
  level: 'warning',
  what: 'no passwords or keys in ConfigMaps and plain variables',
  why: 'Who can read the repository or the ConfigMap knows them, for as long as git keeps its history. Secrets come from Infisical or a SealedSecret.',
  fixable: false,
  check: ({ workloads, ofKind }, say) => {
    for (const one of ofKind('ConfigMap')) {
      for (const [key, value] of Object.entries(texts(one.value.data))) {
        if (looksSecret(value))
          say(
            atKey(one, ['data', key]),
            `${key} seems to hold a secret: take it from a Secret, and make a new one of what was here.`,
          );
      }
    }
    for (const workload of workloads) {
      for (const { path, value } of containersOf(workload)) {
        for (const [index, one] of list(value.env).map(mapping).entries()) {
          if (!holdsSecret(one)) continue;
          const message = `${one.name} seems to hold a secret: take it from a Secret with secretKeyRef, and make a new one of what was here.`;
          say(at(workload, [...path, 'env', index]), message);
        }
      }
    }
  },
};

function holdsSecret({ name, value }: Mapping): boolean {
  if (typeof value !== 'string') return false;
  const isNamedSo = /(password|passwd|secret|token|api_?key|private_?key)$/i.test(`${name}`);
  return looksSecret(value) || (isNamedSo && /^[^\s/$<{]{8,}$/.test(value));
}

import { checkedImage } from '../check-images.ts';
import { parseImage } from '../image-reference.ts';
import type { Repository } from '../repository.ts';
import { containersOf } from '../resource.ts';
import { at, type Rule, type Where } from '../rule.ts';
import { text } from '../values.ts';

export const imageLatest: Rule = {
  id: 'image-latest',
  level: 'error',
  what: 'images have a version, and it is not latest',
  why: 'latest is another image every time a pod starts: two pods of one Deployment run different code, and going back is not possible. It makes Kubernetes pull the image at every start, too.',
  fixable: false,
  check: (repository, say) => {
    for (const { where, image } of imagesOf(repository)) {
      const parsed = parseImage(image);
      if (parsed === null) say(where, `${image} is no image reference: [registry/]repository:tag@sha256:….`);
      else if (parsed.digest === undefined && (parsed.tag ?? 'latest') === 'latest') {
        say(where, `${image} is another image every day: name a version, and its digest.`);
      }
    }
  },
};

export const imageNoDigest: Rule = {
  id: 'image-no-digest',
  level: 'warning',
  what: 'images are pinned by digest',
  why: 'A tag can be pushed again. Only the digest says which image runs, and only by digest a signature says anything. --fix looks it up in the registry when it may (--resolve-images).',
  fixable: true,
  check: (repository, say) => {
    const level = repository.project.conventions.images.requireDigest ? 'error' : 'warning';
    for (const { where, image, resource, path } of imagesOf(repository)) {
      const parsed = parseImage(image);
      if (parsed === null || parsed.digest !== undefined || (parsed.tag ?? 'latest') === 'latest') continue;
      const digest = repository.digests.get(image);
      say(where, `${image} has no digest: pin it as ${image}@sha256:….`, {
        level,
        fix: digest === undefined ? undefined : resource.set(path, `${image}@${digest}`),
      });
    }
  },
};

export const unsigned: Rule = {
  id: 'unsigned',
  level: 'warning',
  what: 'with images.cosignKey, images are signed with that key, by digest',
  why: 'A signature says that an image is the one that was built, whoever can push to the registry. It is of a digest: what is named by a tag alone can be replaced after it was signed. Signatures are looked up only with --resolve-images; one that cannot be looked up counts for nothing.',
  fixable: false,
  check: (repository, say) => {
    if (repository.project.conventions.images.cosignKey === undefined) return;
    for (const { where, image } of imagesOf(repository)) {
      const parsed = parseImage(image);
      if (parsed?.digest === undefined) {
        say(where, `${image} cannot be checked for a signature without its digest: pin it.`);
        continue;
      }
      if (repository.checked === undefined) continue;
      const { signature } = checkedImage(repository.checked, parsed, parsed.digest);
      if (signature === 'good') continue;
      if (signature === 'unsigned') say(where, `${image} has no signature: cosign sign --key … makes one.`);
      else if ('unknown' in signature) {
        say(where, `Whether ${image} is signed cannot be told: ${signature.unknown}.`);
      } else {
        const why = signature.refused.map((judgement) => refusals[judgement]).join(', ');
        say(where, `${image} is not signed with images.cosignKey: what is there as its signature ${why}.`);
      }
    }
  },
};

const refusals = {
  good: '',
  'another key': 'is by another key',
  'another image': 'is for another image',
  keyless: 'is keyless, by a certificate, which is not checked here',
  unreadable: 'cannot be read',
} as const;

export const noSbom: Rule = {
  id: 'no-sbom',
  level: 'warning',
  what: 'with images.cosignKey, images have an SBOM beside them in the registry',
  why: 'It says what is in the image, so that one question finds all servers with a library that has become a danger. docker build --sbom=true makes one, and so do cosign attest and oras attach. It is looked up only with --resolve-images.',
  fixable: false,
  check: (repository, say) => {
    if (repository.checked === undefined) return;
    for (const { where, image } of imagesOf(repository)) {
      const parsed = parseImage(image);
      if (parsed?.digest === undefined) continue;
      const { sbom } = checkedImage(repository.checked, parsed, parsed.digest);
      if (sbom === 'missing') say(where, `${image} has no SBOM: build it with sbom: true, or attach one.`);
      else if (typeof sbom === 'object')
        say(where, `Whether ${image} has an SBOM cannot be told: ${sbom.unknown}.`);
    }
  },
};

/** Images of all containers, with their places. */
export function imagesOf({ workloads }: Repository) {
  return workloads.flatMap((resource) =>
    containersOf(resource).flatMap(({ path: container, value }) => {
      const image = text(value.image);
      const path = [...container, 'image'];
      const where: Where = at(resource, path);
      return image === undefined || image === '' ? [] : [{ where, image, resource, path }];
    }),
  );
}

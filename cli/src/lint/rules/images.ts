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
  what: 'with a cosign key in the conventions, images have a digest that a signature can be checked of',
  why: 'A signature is one of a digest. An image that is named by its tag can be replaced after it was signed, so that nothing can be said of what runs.',
  fixable: false,
  check: (repository, say) => {
    if (repository.project.conventions.images.cosignKey === undefined) return;
    for (const { where, image } of imagesOf(repository)) {
      if (parseImage(image)?.digest === undefined)
        say(where, `${image} cannot be checked for a signature without its digest: pin it.`);
    }
  },
};

function imagesOf({ workloads }: Repository) {
  return workloads.flatMap((resource) =>
    containersOf(resource).flatMap(({ path: container, value }) => {
      const image = text(value.image);
      const path = [...container, 'image'];
      const where: Where = at(resource, path);
      return image === undefined || image === '' ? [] : [{ where, image, resource, path }];
    }),
  );
}

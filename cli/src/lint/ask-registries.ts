import type { Io } from '../output/io.ts';
import type { Printer } from '../output/printer.ts';
import type { Project } from '../spec/load.ts';
import { type CheckedImages, checkImages } from './check-images.ts';
import { cosignKey } from './cosign.ts';
import type { LintFile } from './lint-file.ts';
import { createRegistries } from './registry.ts';
import { readRepository } from './repository.ts';
import { resolveDigests } from './resolve-digests.ts';
import { imagesOf } from './rules/images.ts';

export interface Asked {
  readonly digests: ReadonlyMap<string, string>;
  /** `undefined`: there is no key to check signatures by, or nobody was asked. */
  readonly checked: CheckedImages | undefined;
}

/** What the rules are to know of the images of these files; nothing of it where they are not `online`. */
export async function askRegistries(
  project: Project,
  files: readonly LintFile[],
  {
    io,
    printer,
    online,
  }: { readonly io: Io; readonly printer: Pick<Printer, 'progress'>; readonly online: boolean },
): Promise<Asked> {
  // A key that is none is told at once, and not only by those who go online.
  const key = await cosignKey(project);
  if (!online) return { digests: new Map(), checked: undefined };
  const spoken = new Set(files.filter(({ silent }) => silent !== true).map(({ shown }) => shown));
  const images = imagesOf(readRepository(project, files))
    .filter(({ resource }) => spoken.has(resource.file))
    .map(({ image }) => image);
  const registries = createRegistries(io);
  const digests = await resolveDigests(images, registries, io, printer);
  const checked = key === null ? undefined : await checkImages(images, digests, key, registries, io, printer);
  return { digests, checked };
}

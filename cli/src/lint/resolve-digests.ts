import type { Io } from '../output/io.ts';
import type { Printer } from '../output/printer.ts';
import { parseImage } from './image-reference.ts';
import type { Registries } from './registry.ts';

/** Asks registries which digest these images have now; what cannot be asked is told and left out. */
export async function resolveDigests(
  images: Iterable<string>,
  registries: Registries,
  { signal }: Pick<Io, 'signal'>,
  printer: Pick<Printer, 'progress'>,
): Promise<ReadonlyMap<string, string>> {
  const digests = new Map<string, string>();
  for (const image of new Set(images)) {
    const reference = parseImage(image);
    if (reference?.tag === undefined || reference.digest !== undefined || reference.tag === 'latest')
      continue;
    printer.progress(`asking ${reference.registry} for ${image}`);
    try {
      digests.set(image, await registries.digestOf(reference, reference.tag));
    } catch (error) {
      signal.throwIfAborted();
      printer.progress(`${image}: ${(error as Error).message}`);
    }
  }
  return digests;
}

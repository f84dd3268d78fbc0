import type { KeyObject } from 'node:crypto';
import type { Io } from '../output/io.ts';
import type { Printer } from '../output/printer.ts';
import { type Judgement, judgeBundle, judgePayload, predicateTypeOf, signaturePredicate } from './cosign.ts';
import { type ImageReference, parseImage } from './image-reference.ts';
import type { Descriptor, Registries } from './registry.ts';

/** What registries say of an image beside it. */
export interface CheckedImage {
  /** `unsigned`; or why no signature of it counts; or why nothing can be said of it. */
  readonly signature: 'good' | 'unsigned' | { readonly refused: readonly Judgement[] } | Unknown;
  readonly sbom: 'there' | 'missing' | Unknown;
}

/** Not the same as there being nothing. */
export interface Unknown {
  readonly unknown: string;
}

export type CheckedImages = ReadonlyMap<string, CheckedImage>;

const nameOf = ({ registry, repository }: ImageReference, digest: string): string =>
  `${registry}/${repository}@${digest}`;

const unasked: Unknown = { unknown: 'it was not looked up' };

/** The same for all tags of a digest. */
export function checkedImage(images: CheckedImages, image: ImageReference, digest: string): CheckedImage {
  return images.get(nameOf(image, digest)) ?? { signature: unasked, sbom: unasked };
}

/** Looks for the signatures and the SBOM of each image that has a digest, or was looked up. */
export async function checkImages(
  images: Iterable<string>,
  digests: ReadonlyMap<string, string>,
  key: KeyObject,
  registries: Registries,
  { signal }: Pick<Io, 'signal'>,
  printer: Pick<Printer, 'progress'>,
): Promise<CheckedImages> {
  const checked = new Map<string, CheckedImage>();
  for (const image of new Set(images)) {
    const reference = parseImage(image);
    const digest = reference?.digest ?? digests.get(image);
    if (reference === null || digest === undefined) continue;
    const name = nameOf(reference, digest);
    if (checked.has(name)) continue;
    printer.progress(`asking ${reference.registry} for the signature of ${image}`);
    const orUnknown = (error: unknown): Unknown => {
      signal.throwIfAborted();
      return { unknown: (error as Error).message };
    };
    const beside = besides(registries, reference, digest);
    checked.set(name, {
      signature: await signatureOf(beside, digest, key).catch(orUnknown),
      sbom: await sbomOf(beside, digest).catch(orUnknown),
    });
  }
  return checked;
}

type Beside = ReturnType<typeof besides>;

/** What lies beside one digest in its repository. */
function besides(registries: Registries, image: ImageReference, digest: string) {
  let referrers: Promise<readonly Descriptor[]> | undefined;
  return {
    manifest: (reference: string) => registries.manifest(image, reference),
    layers: async (reference: string) => (await registries.manifest(image, reference))?.layers ?? [],
    /** By cosign's names: `sha256-….sig`. */
    tagged: (ending: string) => registries.manifest(image, `${digest.replace(':', '-')}.${ending}`),
    blob: ({ digest: of }: Descriptor) => registries.blob(image, of),
    referrers: () => {
      referrers ??= registries.referrers(image, digest);
      return referrers;
    },
  };
}

const signatureAnnotation = 'dev.cosignproject.cosign/signature';
const certificateAnnotation = 'dev.sigstore.cosign/certificate';
const signatureArtifact = 'application/vnd.dev.cosign.artifact.sig.v1+json';
const predicateAnnotation = 'dev.sigstore.bundle.predicateType';
const isBundle = ({ artifactType = '' }: Descriptor) =>
  artifactType.startsWith('application/vnd.dev.sigstore.bundle');
/** More would be an attack on whoever looks at them. */
const mostSignatures = 100;

async function signatureOf(
  beside: Beside,
  digest: string,
  key: KeyObject,
): Promise<CheckedImage['signature']> {
  const refused = new Set<Judgement>();
  let count = 0;
  for await (const judge of signaturesOf(beside, digest, key)) {
    if (++count > mostSignatures) throw new Error(`it has more than ${mostSignatures} signatures`);
    const judgement = await judge();
    if (judgement === 'good') return 'good';
    if (judgement !== null) refused.add(judgement);
  }
  return refused.size === 0 ? 'unsigned' : { refused: [...refused] };
}

/** Each of them, to be fetched and judged. */
async function* signaturesOf(
  beside: Beside,
  digest: string,
  key: KeyObject,
): AsyncGenerator<() => Promise<Judgement | null>> {
  const simple = function* (layers: readonly Descriptor[]) {
    for (const layer of layers) {
      const { [signatureAnnotation]: signature, [certificateAnnotation]: certificate } =
        layer.annotations ?? {};
      if (signature === undefined) continue;
      yield async (): Promise<Judgement> => {
        const bytes = await beside.blob(layer);
        const judgement = bytes === null ? 'unreadable' : judgePayload(key, digest, bytes, signature);
        return judgement === 'another key' && certificate !== undefined ? 'keyless' : judgement;
      };
    }
  };
  yield* simple((await beside.tagged('sig'))?.layers ?? []);
  for (const referrer of await beside.referrers()) {
    if (referrer.artifactType === signatureArtifact) yield* simple(await beside.layers(referrer.digest));
    const { [predicateAnnotation]: predicate = signaturePredicate } = referrer.annotations ?? {};
    if (isBundle(referrer) && predicate === signaturePredicate) {
      yield async () => {
        const bytes = await firstBlob(beside, referrer);
        return bytes === null ? 'unreadable' : judgeBundle(key, digest, bytes);
      };
    }
  }
}

async function firstBlob(beside: Beside, { digest }: Descriptor): Promise<Buffer | null> {
  const [layer] = await beside.layers(digest);
  return layer === undefined ? null : await beside.blob(layer);
}

const isSbom = (type: string | undefined): boolean => /spdx|cyclonedx|syft|sbom/i.test(type ?? '');

/** Whether there is one, by whichever tool it came there; what it says, or who made it, is not looked at. */
async function sbomOf(beside: Beside, digest: string): Promise<CheckedImage['sbom']> {
  if ((await beside.tagged('sbom')) !== null) return 'there';
  for await (const type of besideTypes(beside, digest)) if (isSbom(type)) return 'there';
  return 'missing';
}

/** Types of artifacts, and of what attestations state. */
async function* besideTypes(beside: Beside, digest: string): AsyncGenerator<string | undefined> {
  for (const referrer of await beside.referrers()) {
    yield referrer.artifactType;
    const { [predicateAnnotation]: predicate } = referrer.annotations ?? {};
    if (isBundle(referrer)) yield predicate ?? stated(await firstBlob(beside, referrer));
  }
  for (const layer of (await beside.tagged('att'))?.layers ?? [])
    yield layer.annotations?.predicateType ?? stated(await beside.blob(layer));
  // docker build --sbom puts it into the index, beside the image of each platform.
  for (const { digest: of, annotations } of (await beside.manifest(digest))?.manifests ?? []) {
    if (annotations?.['vnd.docker.reference.type'] !== 'attestation-manifest') continue;
    for (const layer of await beside.layers(of)) yield layer.annotations?.['in-toto.io/predicate-type'];
  }
}

const stated = (bytes: Buffer | null): string | undefined =>
  bytes === null ? undefined : predicateTypeOf(bytes);

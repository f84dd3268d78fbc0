import {
  constants,
  createCipheriv,
  type KeyObject,
  publicEncrypt,
  randomBytes,
  X509Certificate,
} from 'node:crypto';
import { CommandError } from '../command-error.ts';
import type { KubernetesObject } from '../manifests/object.ts';

export type SealScope = 'strict' | 'namespace-wide' | 'cluster-wide';

/** What a sealed value is bound to: the controller opens it for no other Secret. */
export interface SealTarget {
  readonly scope: SealScope;
  readonly namespace: string;
  readonly name: string;
}

const leastBits = 2048;

/** The key of the controller's certificate; one that it would not use is refused, with why. */
export function sealingKey(pem: string, shown: string, now: number): KeyObject {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(pem);
  } catch {
    throw new CommandError('seal.certificate-invalid', `${shown} is no certificate in PEM form.`, [
      'kubeseal --fetch-cert prints the one of the controller.',
    ]);
  }
  const [from, to] = [new Date(certificate.validFrom), new Date(certificate.validTo)];
  const day = (date: Date) => date.toISOString().slice(0, 10);
  if (now > to.getTime()) {
    throw new CommandError(
      'seal.certificate-expired',
      `The certificate ${shown} is expired since ${day(to)}.`,
      ['The controller makes a new one every 30 days: fetch it with kubeseal --fetch-cert.'],
    );
  }
  if (now < from.getTime()) {
    throw new CommandError(
      'seal.certificate-early',
      `The certificate ${shown} is valid from ${day(from)} only.`,
      ['Is the clock of this machine right?'],
    );
  }
  const { publicKey } = certificate;
  const { modulusLength = 0 } = publicKey.asymmetricKeyDetails ?? {};
  if (publicKey.asymmetricKeyType !== 'rsa' || modulusLength < leastBits) {
    const what =
      publicKey.asymmetricKeyType === 'rsa' ? `RSA of ${modulusLength} bits` : publicKey.asymmetricKeyType;
    throw new CommandError(
      'seal.certificate-key',
      `The key of ${shown} is ${what}; sealing needs RSA of ${leastBits} bits or more.`,
    );
  }
  return publicKey;
}

/**
 * One value as only the controller can open it: the length of the encrypted session key in two bytes, that key
 * (RSA-OAEP with SHA-256, labelled with what the value is bound to), and the value in AES-256-GCM. The nonce is zero, as
 * each session key is used once.
 */
export function sealValue(key: KeyObject, target: SealTarget, value: string): string {
  const sessionKey = randomBytes(32);
  const encryptedKey = publicEncrypt(
    { key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256', oaepLabel: labelOf(target) },
    sessionKey,
  );
  const cipher = createCipheriv('aes-256-gcm', sessionKey, Buffer.alloc(12));
  const encrypted = Buffer.concat([cipher.update(value, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(encryptedKey.length);
  return Buffer.concat([length, encryptedKey, encrypted]).toString('base64');
}

function labelOf({ scope, namespace, name }: SealTarget): Buffer {
  if (scope === 'cluster-wide') return Buffer.alloc(0);
  return Buffer.from(scope === 'strict' ? `${namespace}/${name}` : namespace);
}

/** A SealedSecret of these values, sealed already. */
export function sealedSecret(
  target: SealTarget,
  encryptedData: Readonly<Record<string, string>>,
): KubernetesObject {
  const { name, namespace, scope } = target;
  const annotations = scope === 'strict' ? undefined : { [`sealedsecrets.bitnami.com/${scope}`]: 'true' };
  const metadata = { name, namespace, ...(annotations !== undefined && { annotations }) };
  return {
    apiVersion: 'bitnami.com/v1alpha1',
    kind: 'SealedSecret',
    metadata,
    spec: { encryptedData, template: { metadata, type: 'Opaque' } },
  };
}

/** What the annotations of a SealedSecret say that its values are bound to. */
export function scopeOf({ metadata }: KubernetesObject): SealScope {
  const scopes: readonly SealScope[] = ['cluster-wide', 'namespace-wide'];
  return (
    scopes.find((scope) => metadata.annotations?.[`sealedsecrets.bitnami.com/${scope}`] === 'true') ??
    'strict'
  );
}

import { generateKeyPairSync, sign } from 'node:crypto';

export interface CertificateOptions {
  readonly from?: string;
  readonly to?: string;
  readonly bits?: number;
  readonly type?: 'rsa' | 'ec';
  /** An IPv4 address that it is for: it is then an authority of its own, too, as a server on loopback needs. */
  readonly address?: string;
}

/**
 * A self-signed certificate as a sealing controller has one, made anew so that no private key lies in the repository.
 * Times as 20260101000000Z.
 */
export function createCertificate({
  from = '20250101000000Z',
  to = '20350101000000Z',
  bits = 2048,
  type = 'rsa',
  address,
}: CertificateOptions = {}): { readonly key: string; readonly cert: string } {
  const { privateKey, publicKey } =
    type === 'rsa'
      ? generateKeyPairSync('rsa', { modulusLength: bits })
      : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const algorithm =
    type === 'rsa'
      ? sequence(oid('2a864886f70d01010b'), Buffer.from([0x05, 0x00]))
      : sequence(oid('2a8648ce3d040302'));
  const subject = sequence(der(0x31, sequence(oid('550403'), der(0x0c, Buffer.from('sealed-secret')))));
  const content = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([1])),
    algorithm,
    subject,
    sequence(der(0x18, Buffer.from(from)), der(0x18, Buffer.from(to))),
    subject,
    publicKey.export({ type: 'spki', format: 'der' }),
    ...(address === undefined ? [] : [forServer(address)]),
  );
  const signature = der(0x03, Buffer.concat([Buffer.from([0]), sign('sha256', content, privateKey)]));
  const encoded = sequence(content, algorithm, signature).toString('base64');
  const lines = encoded.match(/.{1,64}/g)?.join('\n');
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return { key, cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n` };
}

/** The extensions that a client of this address asks for. */
function forServer(address: string): Buffer {
  const ip = der(0x87, Buffer.from(address.split('.').map(Number)));
  const altName = sequence(oid('551d11'), der(0x04, sequence(ip)));
  const isAuthority = sequence(oid('551d13'), der(0x04, sequence(der(0x01, Buffer.from([0xff])))));
  return der(0xa3, sequence(altName, isAuthority));
}

function der(tag: number, content: Buffer): Buffer {
  const length = content.length;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return der(0x30, Buffer.concat(parts));
}

function oid(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, 'hex'));
}

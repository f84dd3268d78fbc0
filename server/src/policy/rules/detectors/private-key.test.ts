import { testCorpus } from './corpus.ts';
import { privateKey } from './private-key.ts';

const line = 'MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj';
/** Put together here, so that no text in this file is itself taken for a key. */
const pem = (kind: string, between = '\n', body = `${line}${between}${line}`): string =>
  `-----${'BEGIN'} ${kind}-----${between}${body}${between}-----${'END'} ${kind}-----`;
const begin = (kind: string): string => `-----${'BEGIN'} ${kind}-----`;

testCorpus('private_key', privateKey, {
  found: [
    `«${pem('PRIVATE KEY')}»`,
    `«${pem('RSA PRIVATE KEY')}»`,
    `«${pem('EC PRIVATE KEY')}»`,
    `«${pem('DSA PRIVATE KEY')}»`,
    `«${pem('OPENSSH PRIVATE KEY')}»`,
    `«${pem('ENCRYPTED PRIVATE KEY')}»`,
    `«${pem('PGP PRIVATE KEY BLOCK')}»`,
    `«${pem('PRIVATE KEY', '\\n')}»`,
    `«${pem('PRIVATE KEY', '\r\n')}»`,
    `«${pem('PRIVATE KEY', ' ')}»`,
    `«${pem('PRIVATE KEY', '')}»`,
    `«${pem('RSA PRIVATE KEY', '\n', `Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\n${line}`)}»`,
    `before\n«${pem('PRIVATE KEY')}»\nafter`,
    `«${pem('PRIVATE KEY')}»\n«${pem('EC PRIVATE KEY')}»`,
    `cut off: «${begin('PRIVATE KEY')}\n${line}»`,
    `«${begin('PRIVATE KEY')}\n${line}\n»«${pem('PRIVATE KEY')}»`,
    `key=«${pem('PRIVATE KEY')}»;`,
    `«${pem('RSA PRIVATE KEY', '\n', 'MIIB')}»`,
  ],
  passed: [
    pem('PUBLIC KEY'),
    pem('RSA PUBLIC KEY'),
    pem('CERTIFICATE'),
    pem('CERTIFICATE REQUEST'),
    pem('DH PARAMETERS'),
    pem('PGP PUBLIC KEY BLOCK'),
    pem('PGP MESSAGE'),
    `it begins with ${begin('PRIVATE KEY')}`,
    pem('PRIVATE KEY', '\n', '...'),
    pem('PRIVATE KEY', '\n', '<your key>'),
    'BEGIN PRIVATE KEY',
    `--${begin('PRIVATE KEY').slice(5)}`,
    begin('private key'),
    `-----${'END'} PRIVATE KEY-----\n${line}`,
    'a private key',
  ],
});

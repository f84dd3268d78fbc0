import { testCorpus } from './corpus.ts';
import { jwt } from './jwt.ts';

const part = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const token = (header: unknown, signature = 'c2lnbmF0dXJlLXNpZ25hdHVyZQ'): string =>
  `${part(header)}.${part({ sub: 'ann', iat: 1516239022 })}.${signature}`;
const plain = token({ alg: 'HS256', typ: 'JWT' });

testCorpus('jwt', jwt, {
  found: [
    `«${plain}»`,
    `Bearer «${plain}»`,
    `token=«${plain}»&x=1`,
    `"«${plain}»"`,
    `two «${plain}» «${token({ alg: 'RS256' })}»`,
    `«${token({ alg: 'none' }, '')}»`,
    `«${token({ typ: 'JWT', alg: 'ES256', kid: 'a' })}»`,
    `«${token('{"alg": "HS256"}')}»`,
    `«${token('{ "alg": "HS256" }')}»`,
    `«${token('{\n"alg": "HS256" }')}»`,
    `«${token('{\r\n "alg": "EdDSA" }')}»`,
    `(«${plain}»)`,
    `https://example.com/#«${plain}»`,
    `a.b.«${plain}»`,
    `cookie_«${plain}»`,
    `«${plain}»\nnext`,
  ],
  passed: [
    'eyJhbGciOiJIUzI1NiJ9',
    plain.split('.').slice(0, 2).join('.'),
    `${part({ typ: 'JWT' })}.${part({})}.x`,
    `${part([1, 2, 3])}.${part({})}.abc`,
    `${part('not json at all, just words')}.abcd.efgh`,
    `${part({ alg: 5 })}.${part({})}.abc`,
    'www.example.com.and.some.more.labels',
    'eyJ.eyJ.abcdefghijklmnop',
    'eyes.everywhere.looking.at.you.all.day',
    'com.example.package.ClassName.method',
    '1.2.3.4.5.6.7.8.9.10.11.12',
    'ewe.sheep.lamb.goat.cow.horse',
    plain.replaceAll('.', ' . '),
    `${part({ alg: 'HS256' })}..abcdefghijkl`,
    'ew0.abc.def',
  ],
});

import { joined, type Span } from '../json/edits.ts';
import type { Finder } from '../pattern.ts';
import { addAll, candidates, spanOf, spanOfGroup } from './candidates.ts';

/** How keys of well-known services begin and go on. `mixed`: what goes on must look random, as words may begin so, too. */
const forms: readonly { readonly pattern: string; readonly mixed?: true }[] = [
  { pattern: 'sk-[A-Za-z0-9_-]{20,250}', mixed: true },
  { pattern: 'github_pat_[A-Za-z0-9_]{22,250}' },
  { pattern: 'gh[pousr]_[A-Za-z0-9]{36,250}' },
  { pattern: 'glpat-[A-Za-z0-9_-]{20,250}', mixed: true },
  { pattern: 'xox[abeprs]-[A-Za-z0-9-]{10,250}', mixed: true },
  { pattern: 'xapp-[0-9]-[A-Za-z0-9-]{20,250}' },
  {
    pattern: 'https://hooks\\.slack\\.com/services/T[A-Za-z0-9]{6,20}/B[A-Za-z0-9]{6,20}/[A-Za-z0-9]{16,40}',
  },
  { pattern: '(?:AKIA|ASIA)[A-Z0-9]{16}' },
  { pattern: 'AIza[A-Za-z0-9_-]{35}' },
  { pattern: 'ya29\\.[A-Za-z0-9_-]{20,250}' },
  { pattern: 'npm_[A-Za-z0-9]{36}' },
  { pattern: 'pypi-[A-Za-z0-9_-]{50,250}' },
  { pattern: 'hf_[A-Za-z0-9]{30,40}' },
  { pattern: 'sp_[A-Za-z0-9_-]{20,250}', mixed: true },
  { pattern: 'arc_[A-Za-z0-9_-]{20,250}', mixed: true },
  { pattern: '(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{16,250}' },
  { pattern: 'whsec_[A-Za-z0-9+/=]{24,250}' },
  { pattern: 'SG\\.[A-Za-z0-9_-]{22}\\.[A-Za-z0-9_-]{43}' },
  { pattern: 'shp(?:at|ca|pa|ss)_[A-Fa-f0-9]{32}' },
  { pattern: 'dop_v1_[a-f0-9]{64}' },
  { pattern: 'lin_api_[A-Za-z0-9]{32,64}' },
  { pattern: 'ATATT3[A-Za-z0-9_=-]{50,250}' },
  { pattern: 'AGE-SECRET-KEY-1[A-Z0-9]{58}' },
];
const compiled = forms.map(({ pattern, mixed }) => ({
  looks: new RegExp(pattern, 'g'),
  mixed: mixed === true,
}));

const spoken = 'key|token|secret|password|passwd|pwd|credentials?|authorization|auth';
const value = '[A-Za-z0-9_+/=.~-]';
const assigned = new RegExp(
  `(?:${spoken})["']?[ \\t]{0,4}(?:=>|[:=])[ \\t]{0,4}["']?(?:bearer[ \\t]{1,4}|basic[ \\t]{1,4})?(${value}{16,512})`,
  'gi',
);
const borne = new RegExp(`\\b(?:bearer|basic)[ \\t]{1,4}(${value}{20,512})`, 'gi');
const isName = new RegExp(`(?:${spoken})$`, 'i');
const isValue = new RegExp(`^${value}{16,512}$`);
const blank = '[ \\t\\r\\n]*';

/** Keys of well-known services, and whatever looks random where a key, a token or a password is told. */
export const apiKey: Finder = {
  hint: [
    // So many of the characters that go on are enough, and cheaper to look for.
    ...forms.map(({ pattern }) => pattern.replace(/\{[0-9]+(?:,[0-9]+)?\}$/, '{8}')),
    `(?i:(?:${spoken})["']?${blank}(?:=>|[:=])${blank}["']?(?:bearer[ \\t]+|basic[ \\t]+)?${value}{16})`,
    `(?i:\\b(?:bearer|basic)[ \\t]+${value}{16})`,
  ].join('|'),
  find(text, name) {
    const found: Span[] = [];
    for (const { looks, mixed } of compiled)
      addAll(
        found,
        candidates(text, looks, (match) => {
          const alone = !/[A-Za-z0-9_]/.test(text[match.index - 1] ?? '');
          return alone && (!mixed || isMixed(match[0])) ? spanOf(match) : null;
        }),
      );
    for (const looks of [assigned, borne])
      addAll(
        found,
        candidates(text, looks, (match) => {
          const told = (match[1] as string).replace(/[.~]+$/, '');
          return looksRandom(told) ? spanOfGroup(match, told) : null;
        }),
      );
    if (found.length === 0 && isName.test(name) && isValue.test(text) && looksRandom(text))
      found.push({ start: 0, end: text.length });
    return joined(found);
  },
};

function isMixed(key: string): boolean {
  return /[0-9]/.test(key) && !isSlug(key);
}

function looksRandom(text: string): boolean {
  const isUuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);
  return (
    text.length >= 16 &&
    /[0-9]/.test(text) &&
    /[A-Za-z]/.test(text) &&
    new Set(text).size >= 10 &&
    !isUuid &&
    !isSlug(text)
  );
}

/** Words and numbers with something between them: `release-2024-12-final`. */
function isSlug(text: string): boolean {
  return text.split(/[-_./=+~]/).every((part) => /^(?:[a-z]*|[A-Z]*|[A-Z][a-z]*|v?[0-9]{0,8})$/.test(part));
}

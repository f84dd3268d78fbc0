import type { Span } from '../json/edits.ts';
import type { Finder } from '../pattern.ts';
import { candidates } from './candidates.ts';

const looks = /[A-Z]{2}[0-9]{2}(?:[ -]?[A-Z0-9]){11,30}/gi;

/** Lengths by country, as the registry of SWIFT has them. */
const lengths = new Map(
  `NO15 BE16 DK18 FO18 FI18 GL18 NL18 SD18 FK18 MK19 SI19 AT20 BA20 EE20 KZ20 LT20 LU20 XK20 MN20 CR22 DE22 BG22 BH22 GB22
  GE22 IE22 ME22 RS22 VA22 CH21 HR21 LI21 LV21 IL23 IQ23 AE23 TL23 OM23 AD24 CZ24 ES24 MD24 PK24 RO24 SA24 SE24 SK24 TN24
  VG24 LY25 PT25 ST25 AO25 CV25 MZ25 IS26 TR26 BI27 FR27 GR27 IT27 MC27 MR27 SM27 DJ27 AL28 AZ28 BY28 CY28 DO28 GT28 HU28
  LB28 NI28 PL28 SV28 SN28 BR29 EG29 PS29 QA29 UA29 JO30 KW30 MU30 YE30 MT31 SC31 LC32 RU33`
    .split(/\s+/)
    .map((entry) => [entry.slice(0, 2), Number(entry.slice(2))]),
);

/** International bank account numbers: a country that has them, its length, and right check digits. */
export const iban: Finder = {
  hint: `(?i)\\b(?:${[...lengths.keys()].join('|')})[0-9]{2}(?:[ -]?[A-Z0-9]){11}`,
  find: (text) => candidates(text, looks, (match) => accountAt(text, match)),
};

function accountAt(text: string, { index, 0: run }: RegExpExecArray): Span | null {
  if (/[\p{L}\p{N}_]$/u.test(text.slice(Math.max(0, index - 2), index))) return null;
  const length = lengths.get(run.slice(0, 2).toUpperCase());
  if (length === undefined) return null;
  let at = 0;
  for (let taken = 0; at < run.length && taken < length; at++)
    if (run[at] !== ' ' && run[at] !== '-') taken++;
  const end = index + at;
  const account = run.slice(0, at).replace(/[ -]/g, '').toUpperCase();
  if (account.length < length || /^[\p{L}\p{N}_]/u.test(text.slice(end, end + 2))) return null;
  return remainderOf97(account) === 1 ? { start: index, end } : null;
}

function remainderOf97(account: string): number {
  let remainder = 0;
  for (const char of account.slice(4) + account.slice(0, 4)) {
    const value = Number.parseInt(char, 36);
    remainder = (remainder * (value > 9 ? 100 : 10) + value) % 97;
  }
  return remainder;
}

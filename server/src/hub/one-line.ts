const maxLength = 120;

/** The first sentence of a text, on one line and not too long; without what a terminal, or a model, could take for more. */
export function oneLine(text: string): string {
  const whole = flat(text);
  const first = /^.*?[.!?](?=\s+\p{Lu}|$)/u.exec(whole)?.[0] ?? whole;
  const letters = Array.from(first);
  return letters.length <= maxLength
    ? first
    : `${letters
        .slice(0, maxLength - 1)
        .join('')
        .trimEnd()}…`;
}

/** Most descriptions are longer than what is looked at. */
const lookedAt = 600;

function flat(text: string): string {
  return text
    .slice(0, lookedAt)
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]+/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim();
}

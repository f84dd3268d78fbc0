import fc from 'fast-check';

/** For tests: JSON text as others may write it, with a secret at places of which it is known what they become. */

type Style = 'plain' | 'coded' | 'odd';
type Piece = { readonly text: string; readonly style: Style } | 'secret';

export type Written =
  | { readonly kind: 'string'; readonly pieces: readonly Piece[] }
  | { readonly kind: 'word'; readonly text: string }
  | { readonly kind: 'secret number' }
  | { readonly kind: 'array'; readonly items: readonly Written[]; readonly space: string }
  | {
      readonly kind: 'object';
      readonly members: readonly (readonly [readonly Piece[], Written])[];
      readonly space: string;
    }
  | { readonly kind: 'embedded'; readonly value: Written; readonly style: Style };

/** Stand for a replacement, and for the quotes around it and what these become in strings in strings. */
const HOLE = '\ue000';
const QUOTE = '\ue001';
const SLASH = '\ue002';

/** The text with the secret in it. */
export function withSecret(written: Written, secret: string, digits: string): string {
  return render(written, { piece: secret, number: digits });
}

/** The text with the replacement where the secret was, and nothing else changed. */
export function withReplacement(written: Written, replacement: string): string {
  return render(written, { piece: HOLE, number: `${QUOTE}${HOLE}${QUOTE}` })
    .replaceAll(HOLE, replacement)
    .replaceAll(QUOTE, '"')
    .replaceAll(SLASH, '\\');
}

interface Filling {
  readonly piece: string;
  readonly number: string;
}

function render(written: Written, filling: Filling): string {
  switch (written.kind) {
    case 'word':
      return written.text;
    case 'secret number':
      return filling.number;
    case 'string':
      return quoted(written.pieces, filling);
    case 'embedded':
      return `"${encoded(render(written.value, filling), written.style)}"`;
    case 'array': {
      const items = written.items.map((item) => written.space + render(item, filling));
      return `[${items.join(',')}${written.space}]`;
    }
    case 'object': {
      const { space } = written;
      const members = written.members.map(
        ([name, value]) => `${space}${quoted(name, filling)}${space}:${render(value, filling)}`,
      );
      return `{${members.join(',')}${space}}`;
    }
  }
}

function quoted(pieces: readonly Piece[], filling: Filling): string {
  const texts = pieces.map((piece) =>
    piece === 'secret' ? encoded(filling.piece, 'plain') : encoded(piece.text, piece.style),
  );
  return `"${texts.join('')}"`;
}

function encoded(text: string, style: Style): string {
  let result = '';
  for (let at = 0; at < text.length; at++) {
    const char = text[at] as string;
    const code = `\\u${text.charCodeAt(at).toString(16).padStart(4, '0')}`;
    if (char === QUOTE) result += SLASH + QUOTE;
    else if (char === SLASH) result += SLASH + SLASH;
    else if (char === HOLE) result += HOLE;
    else if (style === 'coded' || /[\ud800-\udfff]/.test(char)) result += code;
    else if (style === 'odd' && char === '/') result += '\\/';
    else if (style === 'odd' && char.charCodeAt(0) % 3 === 0) result += code.toUpperCase().replace('U', 'u');
    else result += JSON.stringify(char).slice(1, -1);
  }
  return result;
}

const style = fc.constantFrom<Style>('plain', 'coded', 'odd');
const space = fc.constantFrom('', ' ', '\n  ', '\t');

/** `letters`: of what strings and names are made. */
export function writtenJson(letters: fc.Arbitrary<string>, secrets: boolean): fc.Arbitrary<Written> {
  const piece = fc.record({ text: letters, style });
  const pieces: fc.Arbitrary<readonly Piece[]> = fc.array(
    secrets
      ? fc.oneof({ weight: 3, arbitrary: piece }, { weight: 1, arbitrary: fc.constant('secret' as const) })
      : piece,
    { maxLength: 3 },
  );
  const words = fc.constantFrom('true', 'null', '0', '-1.50', '1E400', '12345678901234567890', '7e-07');
  const { value } = fc.letrec<{ value: Written; container: Written }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.record({ kind: fc.constant('string' as const), pieces }),
      fc.record({ kind: fc.constant('word' as const), text: words }),
      ...(secrets ? [fc.constant<Written>({ kind: 'secret number' })] : []),
      tie('container'),
      fc.record({ kind: fc.constant('embedded' as const), value: tie('container'), style }),
    ),
    container: fc.oneof(
      fc.record({
        kind: fc.constant('array' as const),
        items: fc.array(tie('value'), { maxLength: 3 }),
        space,
      }),
      fc.record({
        kind: fc.constant('object' as const),
        members: fc.array(fc.tuple(pieces, tie('value')), { maxLength: 3 }),
        space,
      }),
    ),
  }));
  return value;
}

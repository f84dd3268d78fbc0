import { RE2JS } from 're2js';
import { err, messageOf, ok, type Result } from '#foundation';
import type { Span } from './json/edits.ts';
import type { SyntaxProblem } from './json/json-path.ts';
import { unsupportedIn, withoutAnchors } from './pattern-syntax.ts';

/** Finds pieces of texts: by a pattern, or by what a detector knows. */
export interface Finder {
  /** A pattern of RE2 that matches wherever something is found, also in a JSON text that holds the text in one piece. */
  readonly hint: string;
  /** In order and apart, none empty. `name`: of the member whose value the text is. */
  find(text: string, name: string): readonly Span[];
}

/** A list of a few hundred words fits; what multiplies repetitions does not. */
export const maxInstructions = 5000;

const nothing: readonly Span[] = [];

export function compilePattern(pattern: string): Result<Finder, SyntaxProblem> {
  const unsupported = unsupportedIn(pattern);
  if (unsupported !== null) return err(unsupported);
  let compiled: RE2JS;
  try {
    compiled = RE2JS.compile(pattern);
  } catch (error) {
    return err(problemOf(pattern, error));
  }
  if (compiled.programSize() > maxInstructions)
    return err({ at: 0, message: `is too large: ${compiled.programSize()} steps, of ${maxInstructions}` });
  if (compiled.test(''))
    return err({ at: 0, message: 'matches the empty text, so it would match everywhere' });
  if (matchesNothing(compiled))
    return err({ at: 0, message: 'matches without taking a character, so it would match everywhere' });
  return ok({
    hint: withoutAnchors(pattern),
    find(text) {
      if (!compiled.test(text)) return nothing;
      const spans: Span[] = [];
      const matcher = compiled.matcher(text);
      while (matcher.find())
        if (matcher.end() > matcher.start()) spans.push({ start: matcher.start(), end: matcher.end() });
      return spans;
    },
  });
}

/** Texts at whose edges everything matches that looks for an edge only. */
function matchesNothing(compiled: RE2JS): boolean {
  return ['a', ' ', '\n', 'a b'].some((text) => {
    const matcher = compiled.matcher(text);
    while (matcher.find()) if (matcher.end() === matcher.start()) return true;
    return false;
  });
}

/** The engine names the piece that it cannot read, not where that is. */
function problemOf(pattern: string, error: unknown): SyntaxProblem {
  const { error: reason, input } = error as { error?: unknown; input?: unknown };
  if (typeof reason !== 'string') return { at: 0, message: messageOf(error) };
  if (typeof input !== 'string') return { at: Math.max(0, pattern.length - 1), message: reason };
  if (input !== pattern) return { at: Math.max(0, pattern.indexOf(input)), message: `${reason}: ${input}` };
  return { at: reason.startsWith('missing') ? pattern.length : 0, message: reason };
}

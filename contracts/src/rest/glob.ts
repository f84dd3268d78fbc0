import { z } from 'zod';

export const printable = z
  .string()
  .min(1)
  .regex(/^\P{Cc}*$/u, 'must not hold control characters');

/** `*` stands for any characters, `?` for one. What only other kinds of globs know is refused: here it would match nothing. */
export function glob(maxLength: number) {
  return printable.max(maxLength).superRefine((text, context) => {
    const at = text.search(/[[\]{}!]/);
    const message =
      at >= 0
        ? `character ${at + 1}: ${text[at]} is not known in globs: only * and ? stand for other characters`
        : 'must not begin or end with a space';
    if (at >= 0 || text !== text.trim()) context.addIssue({ code: 'custom', message });
  });
}

/** A glob over `Toolkit.Tool`, `source.prompt`, `source.uri`, whatever the case. */
export const toolGlob = glob(512)
  .refine((text) => !text.includes('@'), 'must not name a version')
  .refine((text) => /[.*?]/.test(text), 'would match nothing: a tool is named Toolkit.Tool, as in Github.*');

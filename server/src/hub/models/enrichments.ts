import { z } from 'zod';
import { err, ok } from '#foundation';
import type { Enrichment, EnrichmentSettings } from './contract.ts';
import { askEnrichment } from './enriching.ts';
import type { Making } from './keeping.ts';
import { createModelLine, type LineDeps } from './model-line.ts';

/** Of the prompt, and of what is kept: where it changes, all is made again. */
const version = 1;
const shortDescription = 40;
const fullDescription = 160;

export function createEnrichments(
  settings: EnrichmentSettings,
  deps: LineDeps,
): { readonly making: Making; close(): void } {
  const { format, model, timeout_ms: timeoutMs } = settings;
  const line = createModelLine('enrich', settings, deps);
  return {
    making: {
      model: `${format}/${model}/${version}`,
      batch: 1,
      perDay: settings.per_day,
      heldMs: timeoutMs + 60_000,
      // Who says little of itself is found the least.
      urgencyOf(length) {
        if (length < shortDescription) return 0;
        return length < fullDescription ? 1 : 2;
      },
      isWhole: (bytes) => bytes > 2,
      async make(tools, signal) {
        const contents: (Buffer | null)[] = [];
        for (const tool of tools) {
          const { body, maxBytes, read } = askEnrichment(model, tool);
          const answer = await line.ask({ body, maxBytes, read, timeoutMs, signal });
          if (answer.ok) contents.push(Buffer.from(JSON.stringify(answer.value)));
          else if (answer.error.isOurs || answer.error.outcome === 'invalid') contents.push(null);
          else return err({ restMs: Math.max(line.restsMs(), answer.error.restMs ?? 0) });
        }
        return ok(contents);
      },
    },
    close: line.close,
  };
}

const kept = z.object({
  whenToUse: z.string(),
  exampleQueries: z.array(z.string()),
  synonyms: z.array(z.string()),
  limitations: z.string(),
});

/** `null` for what nobody of us wrote. */
export function readEnrichment(content: Buffer): Enrichment | null {
  try {
    return kept.parse(JSON.parse(content.toString()));
  } catch {
    return null;
  }
}

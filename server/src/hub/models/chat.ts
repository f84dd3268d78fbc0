import { z } from 'zod';
import { err, ok, type Result } from '#foundation';

const maxAnswerBytes = 256 * 1024;
const maxContentLength = 32_000;

const completion = z.object({
  choices: z.array(z.object({ message: z.object({ content: z.string().max(maxContentLength) }) })).min(1),
});

export interface ChatAsked<Answer> {
  readonly model: string;
  /** What it is to do. Nothing of what others wrote is in it. */
  readonly task: string;
  /** What it is to do it with, as data. */
  readonly data: object;
  readonly maxTokens: number;
  readonly schema: z.ZodType<Answer>;
}

/**
 * Chat completions that are held to a schema. What others wrote is one JSON document in a message of its own: nothing in it can
 * end it.
 */
export function askChat<Answer>({ model, task, data, maxTokens, schema }: ChatAsked<Answer>) {
  return {
    body: {
      model,
      messages: [
        { role: 'system', content: task },
        { role: 'user', content: JSON.stringify(data) },
      ],
      response_format: { type: 'json_object' },
      max_completion_tokens: maxTokens,
    },
    maxBytes: maxAnswerBytes,
    read(value: unknown): Result<Answer, string> {
      const content = completion.safeParse(value).data?.choices[0]?.message.content;
      if (content === undefined) return err('it answered with something that is no chat completion');
      const parsed = schema.safeParse(jsonIn(content));
      return parsed.success ? ok(parsed.data) : err('the model did not answer in the form it was asked for');
    },
  };
}

/** Models like to put a fence around JSON, whatever they are told. */
function jsonIn(content: string): unknown {
  const text = /^\s*```(?:json)?\s*\n([\s\S]*?)\n?\s*```\s*$/.exec(content)?.[1] ?? content;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** One line of at most so many characters, without what is no character. */
export function lineOf(maxLength: number) {
  return z.string().transform((text) =>
    text
      .toWellFormed()
      .replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ')
      .replace(/\s+/g, ' ')
      .trim()
      .slice(0, maxLength)
      .toWellFormed(),
  );
}

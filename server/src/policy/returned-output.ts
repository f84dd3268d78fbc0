import type { SourceReturn } from '#domain';
import { isDeeperThan, isMembers } from '#foundation';

type Answered = Exclude<SourceReturn, { form: 'input_required' }>;

interface HookedOutput {
  readonly success: boolean;
  readonly output: unknown;
  /** As HTTP would say it. */
  readonly code: string;
  readonly error: string | null;
}

/** A tool's output as hooks are told of it: the value itself, as a worker would give it. */
export function hookedOutputOf(returned: Answered): HookedOutput {
  const success = !returned.isError;
  if (returned.form === 'worker') {
    const { value, error } = returned.output;
    const code = success ? '200' : String(error?.status_code ?? 500);
    return { success, output: value ?? null, code, error: error?.message ?? null };
  }
  const { structuredContent, content } = JSON.parse(returned.result.toString('utf8'));
  const text = textOf(content);
  return {
    success,
    output: structuredContent ?? parsed(text) ?? content ?? null,
    code: success ? '200' : '500',
    error: success ? null : text,
  };
}

/** The answer with another output. */
export function withOutput(returned: Answered, output: unknown): Answered {
  if (returned.form === 'worker')
    return { ...returned, output: { ...returned.output, value: output as never } };
  const before = JSON.parse(returned.result.toString('utf8'));
  const { structuredContent: _structured, content: _content, ...rest } = before;
  const text = typeof output === 'string' ? output : JSON.stringify(output);
  const structured = isMembers(output)
    ? { structuredContent: output }
    : 'structuredContent' in before
      ? { structuredContent: { result: output } }
      : {};
  const result = { ...rest, content: [{ type: 'text', text }], ...structured };
  return { ...returned, result: Buffer.from(JSON.stringify(result)) };
}

/** The text of a result that is nothing but text. */
function textOf(content: unknown): string | null {
  if (!Array.isArray(content)) return null;
  const texts = content.map((block) => (isMembers(block) && block.type === 'text' ? block.text : null));
  return texts.every((text) => typeof text === 'string') ? texts.join('\n') : null;
}

/** What is nested deeper stays text: no recursion takes any depth. */
const maxDepth = 500;

function parsed(text: string | null): unknown {
  if (text === null) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isDeeperThan(value, maxDepth) ? text : value;
  } catch {
    return text;
  }
}

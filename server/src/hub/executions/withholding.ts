import type { Catalog } from '#catalog';
import type { Pipeline } from '#pipeline';
import type { Policy } from '#policy';
import type { Asking } from './contract.ts';
import type { Said, View } from './execution.ts';

export interface WithholdingDeps {
  readonly catalog: Pick<Catalog, 'findTool'>;
  readonly pipeline: Pick<Pipeline, 'permits' | 'overheard'>;
  readonly policy: Pick<Policy, 'version'>;
}

const withheld = 'what came of it is withheld: by what is laid down now it may not be told';

/**
 * What is kept was screened when the tool gave it. Whoever asks for it later hears of it what they may hear now: nothing of a tool
 * that they may not use any more, and nothing that rules made since hold back. Who began it still hears how it is.
 */
export function createWithholding({ catalog, pipeline, policy }: WithholdingDeps) {
  return ({ caller, gateway }: Asking, view: View): View => {
    const { execution, kept } = view;
    const { output, content, error, questions } = kept.said;
    if ([output, content, error, questions].every((said) => said === undefined)) return view;
    const name = execution.ref.slice(execution.ref.indexOf('://') + 3);
    const { projectId } = execution;
    // Versions may be marked differently; where this one is gone, the one that is used now stands for it.
    const tool = catalog.findTool(projectId, name, kept.version) ?? catalog.findTool(projectId, name);
    if (tool === null) return view;
    if (!pipeline.permits(caller, gateway, tool)) return without(view);
    if (kept.policy === policy.version()) return view;
    const heard = pipeline.overheard(caller, gateway, tool, {
      ...{ data: output, content, error, result: questions },
    });
    if (heard === null) return without(view);
    const left = { output: heard.data, content: heard.content, error: heard.error, questions: heard.result };
    const given = Object.fromEntries(Object.entries(left).filter(([, said]) => said !== undefined));
    return { execution, kept: { ...kept, said: { ...kept.said, ...given } as Said } };
  };
}

function without({ execution, kept }: View): View {
  const { output: _output, content: _content, questions: _questions, error, ...rest } = kept.said;
  const failed = error === undefined ? {} : { error: { name: error.name, message: withheld } };
  return { execution, kept: { ...kept, said: { ...rest, ...failed, advice: withheld } } };
}

export type Withholding = ReturnType<typeof createWithholding>;

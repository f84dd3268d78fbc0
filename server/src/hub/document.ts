import type { ToolParameter } from '@sallyport/contracts';
import type { Tool } from '#domain';
import { isMembers } from '#foundation';
import { type Curation, type Learned, noCuration } from './governance/contract.ts';
import type { Enrichment } from './models/contract.ts';
import type { SearchDocument } from './search/contract.ts';

export interface Described {
  readonly tool: Tool;
  readonly namespace: string;
  readonly curation: Curation;
  readonly learned: readonly Learned[];
  /** What a model wrote of it. */
  readonly enrichment: Enrichment | null;
  /** What a model made of its text, in this space. */
  readonly vector: Float32Array | null;
  readonly space: string | null;
}

/** More than this of one text tells no tool from another. */
const maxText = 4000;
const maxParameters = 100;

/** Another one where documents are made in another way than before. */
const form = 3;

/** The same as long as the document is: told without looking into the tool. `digest`: of what its source says. */
export function hashOf(described: Described, digest: string): string {
  const { tool, namespace, curation, learned, enrichment, vector, space } = described;
  const listed = `${form} ${digest} ${tool.name} ${namespace}`;
  // Of most nothing more is said.
  if (curation === noCuration && learned.length === 0 && enrichment === null && vector === null)
    return listed;
  const { whenToUse, synonyms, tags, exampleQueries } = curation;
  const said = [whenToUse, synonyms, tags, exampleQueries, learned, enrichment];
  return `${listed} ${JSON.stringify([said, vector === null ? null : space])}`;
}

/** What of a tool is searched. */
export function documentOf(described: Described, hash: string): SearchDocument {
  const { tool, namespace, learned, vector } = described;
  return {
    id: tool.id,
    hash,
    name: tool.name,
    namespace,
    title: titleOf(tool),
    description: tool.description.slice(0, maxText),
    parameters: parametersOf(tool),
    enrichment: enrichmentOf(described).map((text) => text.slice(0, maxText)),
    learned,
    ...(vector === null ? {} : { vector }),
  };
}

function titleOf({ mcp }: Tool): string | null {
  const { title, annotations } = mcp;
  const said = title ?? (isMembers(annotations) ? annotations.title : null);
  return typeof said === 'string' && said !== '' ? said.slice(0, maxText) : null;
}

function parametersOf({ parameters }: Tool): SearchDocument['parameters'] {
  return parameters.slice(0, maxParameters).map(({ name, description }: ToolParameter) => ({
    name: name.slice(0, maxText),
    description: (description ?? '').slice(0, maxText),
  }));
}

function enrichmentOf({ tool, curation, enrichment }: Described): readonly string[] {
  const { whenToUse, synonyms, tags, exampleQueries } = curation;
  const said = [tool.toolkit.description, whenToUse, enrichment?.whenToUse ?? null];
  return [
    ...said.filter((text) => text !== null && text !== ''),
    ...tool.traits.serviceDomains,
    ...tool.traits.operations,
    ...effectsOf(tool),
    ...synonyms,
    ...tags,
    ...exampleQueries,
    ...(enrichment?.synonyms ?? []),
    ...(enrichment?.exampleQueries ?? []),
  ] as string[];
}

/** Only what a tool says: what it is taken for while it is silent says nothing about it. */
function effectsOf({ traits, metadata, mcp }: Tool): readonly string[] {
  const hints = isMembers(mcp.annotations) ? mcp.annotations : {};
  const { read_only, destructive } = metadata?.behavior ?? {};
  const saysReadOnly = read_only ?? hints.readOnlyHint;
  const saysDestructive = destructive ?? hints.destructiveHint;
  return [
    ...(saysReadOnly === true && traits.readOnly ? ['read only'] : []),
    ...(saysDestructive === true && traits.destructive ? ['destructive'] : []),
  ];
}

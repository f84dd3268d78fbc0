import type { PromptListing, ResourceListing, TemplateListing } from '#domain';
import { isMembers, type Members } from '#foundation';
import type { RejectedTool } from '../../contract.ts';
import { unkeepableEntry } from '../../keepable.ts';
import type { Link } from '../link.ts';
import { methodNotFound } from '../protocol.ts';
import { fetchList, type ListBounds, type ListMethod } from './list.ts';

/** More would hold everybody up whenever the list changes. */
const maxEntries = 10_000;
const maxNameLength = 128;
const maxUriLength = 2048;
const maxCapabilities = 65_536;

/** What a server offers besides its tools. */
export interface Others {
  readonly prompts: readonly PromptListing[];
  readonly resources: readonly ResourceListing[];
  readonly templates: readonly TemplateListing[];
  readonly capabilities: Members;
  /** Entries that cannot be used, and whole lists. */
  readonly rejected: readonly RejectedTool[];
}

interface Listed {
  readonly entries: readonly { readonly key: string; readonly listed: Members }[];
  readonly rejected: readonly RejectedTool[];
}

/** The answer to the request for one list: its entries, or why there are none. */
type Fetched = { readonly digest: string } & (
  | { readonly given: () => Iterable<unknown> }
  | { readonly reason: string }
);

/** What one kind of entries is called, and which of its members names it. */
interface Kind {
  readonly method: ListMethod;
  readonly noun: string;
  readonly key: string;
  readonly maxKeyLength: number;
}

const prompt: Kind = { method: 'prompts/list', noun: 'prompt', key: 'name', maxKeyLength: maxNameLength };
const resource: Kind = {
  method: 'resources/list',
  noun: 'resource',
  key: 'uri',
  maxKeyLength: maxUriLength,
};
const template: Kind = {
  method: 'resources/templates/list',
  noun: 'resource template',
  key: 'uriTemplate',
  maxKeyLength: maxUriLength,
};

/**
 * Asks for prompts, resources and templates, where the server declares that it has any. A list that fails offers none of
 * its kind, and is said; it does not hold up the others. `read` looks at what came, which is not needed when the digest
 * is that of last time.
 */
export async function fetchOthers(
  link: Link,
  capabilities: Members,
  bounds: ListBounds,
): Promise<{ readonly digest: string; readonly read: () => Others }> {
  const prompts = await fetchKind(link, prompt, capabilities.prompts, bounds);
  const resources = await fetchKind(link, resource, capabilities.resources, bounds);
  const templates = await fetchKind(link, template, capabilities.resources, bounds);
  const problem = problemOfCapabilities(capabilities);
  const kept = problem === null ? capabilities : {};
  const digests = [prompts, resources, templates].map(({ digest }) => digest);
  return {
    digest: JSON.stringify([...digests, problem, kept]),
    read() {
      const ofPrompts = listed(prompt, prompts);
      const ofResources = listed(resource, resources);
      const ofTemplates = listed(template, templates);
      const undeclared = problem === null ? [] : [{ name: 'its capabilities', reason: problem }];
      return {
        prompts: ofPrompts.entries.map(({ key, listed }) => ({ name: key, listed })),
        resources: ofResources.entries.map(({ key, listed }) => ({ uri: key, listed })),
        templates: ofTemplates.entries.map(({ key, listed }) => ({ uriTemplate: key, listed })),
        capabilities: kept,
        rejected: [undeclared, ofPrompts.rejected, ofResources.rejected, ofTemplates.rejected].flat(),
      };
    },
  };
}

async function fetchKind(link: Link, kind: Kind, declared: unknown, bounds: ListBounds): Promise<Fetched> {
  if (!isMembers(declared)) return { digest: '', given: () => [] };
  const pages = await fetchList(link, kind.method, bounds);
  if (pages.ok) return { digest: pages.value.digest, given: pages.value.entries };
  const { rpc, message } = pages.error;
  // Resources are declared without a word about templates, so that not to know these is no failure.
  if (kind === template && rpc?.code === methodNotFound) return { digest: 'none', given: () => [] };
  return { digest: message, reason: message };
}

/** Of two with one name, the first stays. */
function listed(kind: Kind, fetched: Fetched): Listed {
  if ('reason' in fetched) return leftOut(kind, fetched.reason);
  const given = [...fetched.given()];
  if (given.length > maxEntries) {
    return leftOut(kind, `it lists ${given.length}; at most ${maxEntries} of one source are taken`);
  }
  const entries = new Map<string, Members>();
  const rejected: RejectedTool[] = [];
  for (const [index, entry] of given.entries()) {
    const key = isMembers(entry) ? entry[kind.key] : undefined;
    const reason = problemOf(entry, kind, entries);
    if (reason === null) entries.set(key as string, entry as Members);
    else {
      const name = typeof key === 'string' && key !== '' ? key.slice(0, 128).toWellFormed() : `${index + 1}`;
      rejected.push({ name: `${kind.noun} ${name}`, reason });
    }
  }
  return { entries: [...entries].map(([key, listed]) => ({ key, listed })), rejected };
}

function problemOf(
  entry: unknown,
  { key, maxKeyLength }: Kind,
  known: ReadonlyMap<string, Members>,
): string | null {
  if (!isMembers(entry)) return 'it is not an object';
  const value = entry[key];
  if (typeof value !== 'string' || value === '') return `it has no ${key}`;
  if (value.length > maxKeyLength) return `its ${key} is longer than ${maxKeyLength} characters`;
  if (/\p{Cc}/u.test(value)) return `its ${key} holds control characters`;
  if (known.has(value)) return 'it is listed twice; the first one is used';
  return unkeepableEntry(entry);
}

function problemOfCapabilities(capabilities: Members): string | null {
  const problem = unkeepableEntry(capabilities);
  if (problem !== null) return problem;
  const isLong = JSON.stringify(capabilities).length > maxCapabilities;
  return isLong ? `they are longer than ${maxCapabilities} characters` : null;
}

function leftOut({ noun }: Kind, reason: string): Listed {
  return { entries: [], rejected: [{ name: `all ${noun}s`, reason }] };
}

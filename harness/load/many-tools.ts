/**
 * One of as many tools as are wanted, as MCP lists it, like those of real services: names of a verb and an object, descriptions of
 * about 200 letters, four to eight parameters; about 2 KB of JSON each. The same for the same numbers, every time.
 */
export interface ListedTool {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly inputSchema: { readonly [keyword: string]: unknown };
  readonly annotations: { readonly [hint: string]: boolean };
}

const list = (words: string): readonly string[] => words.trim().split(/\s+/);

const verbs =
  list(`create get list update delete search send archive restore approve reject assign unassign share
  export import merge split move copy rename publish schedule cancel retry validate convert summarise tag subscribe
  unsubscribe lock unlock enable disable sync compare count download`);
const objects =
  list(`invoice contact ticket repository branch commit issue comment message channel thread calendar event
  meeting room booking order shipment parcel refund payment subscription plan coupon product variant price warehouse
  supplier contract signature document folder file page block table record field view dashboard widget report alert
  incident runbook deployment release pipeline build artifact container cluster node volume snapshot backup certificate
  domain zone policy role group member organisation workspace project milestone sprint task checklist label survey answer
  campaign audience segment template asset image video transcript playlist lead opportunity account quote note`);
const services =
  list(`ledger mailroom tracker depot atlas beacon harbor quarry orchard foundry signal compass lantern
  meadow summit anchor bridge canvas delta ember falcon granite horizon island juniper kestrel lagoon meridian nimbus oasis`);
const qualities =
  list(`active archived pending overdue shared private recent primary secondary scheduled external internal
  draft published linked nested locked public recurring partial`);
const fields =
  list(`limit cursor query filter status owner assignee parent region currency amount quantity start_date
  end_date timezone language format priority visibility tags reason note reference external_id include_archived sort_by
  sort_order notify_members dry_run expand fields page_size callback_url idempotency_key`);
const sentences = [
  'Only those that the caller may see are considered.',
  'Fails when the {object} is locked or was deleted in the meantime.',
  'Use this when a person asks about {quality} {object}s and no identifier is known.',
  'Returns the {object} with its {field} and the time of its last change.',
  'Changes take effect at once and are recorded in the history of the {object}.',
  'Large results come in pages; pass the cursor of the answer to go on.',
  'Every {quality} {object} keeps its {field} unless another one is given.',
  'Members who watch the {object} are told by mail.',
];

/** Numbers that look random, the same for the same beginning. */
function numbersFrom(seed: number): (below: number) => number {
  let state = (seed * 2654435761) >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

export const sourceName = (source: number): string =>
  `${services[source % services.length]}${source < services.length ? '' : Math.floor(source / services.length)}`;

/** `revision`: how often it was changed; only its description differs then. */
export function listedTool(source: number, index: number, revision = 0): ListedTool {
  const below = numbersFrom(source * 1_000_003 + index);
  const one = (words: readonly string[]) => words[below(words.length)] as string;
  const verb = verbs[index % verbs.length] as string;
  const object = objects[Math.floor(index / verbs.length) % objects.length] as string;
  const round = Math.floor(index / (verbs.length * objects.length));
  const quality = round === 0 ? null : (qualities[(round - 1) % qualities.length] as string);
  const tail = round > qualities.length ? `_v${Math.floor((round - 1) / qualities.length) + 1}` : '';
  const subject = quality === null ? object : `${quality} ${object}`;
  const fill = (text: string) =>
    text.replace(/\{(\w+)\}/g, (_, what) =>
      what === 'object' ? object : one(what === 'field' ? fields : qualities),
    );
  const changed = revision === 0 ? '' : ` As of its change ${revision}.`;
  const readOnly = ['get', 'list', 'search', 'count', 'compare', 'export', 'download'].includes(verb);
  return {
    name: `${verb}_${quality === null ? '' : `${quality}_`}${object}${tail}`,
    title: `${verb[0]?.toUpperCase()}${verb.slice(1)} ${subject}`,
    description: `${verb[0]?.toUpperCase()}${verb.slice(1)} a ${subject} of ${sourceName(source)}.${changed} ${fill(one(sentences))} ${fill(one(sentences))}`,
    inputSchema: schemaOf(object, below),
    annotations: {
      readOnlyHint: readOnly,
      destructiveHint: verb === 'delete',
      idempotentHint: readOnly,
      openWorldHint: true,
    },
  };
}

function schemaOf(object: string, below: (below: number) => number): ListedTool['inputSchema'] {
  const one = (words: readonly string[]) => words[below(words.length)] as string;
  const properties: Record<string, unknown> = {
    [`${object}_id`]: {
      type: 'string',
      description: `The identifier of the ${object}, as it was given when it was made.`,
      minLength: 1,
      maxLength: 64,
    },
  };
  for (let count = 3 + below(5); count > 0; count--) {
    const name = one(fields);
    const described = `The ${name.replaceAll('_', ' ')} of the ${one(qualities)} ${object}, where it differs from that of its ${one(objects)}; a ${one(qualities)} one is taken as it is.`;
    properties[name] = [
      { type: 'string', description: described },
      {
        type: 'integer',
        description: described,
        minimum: 0,
        maximum: 10 ** (1 + below(5)),
        default: below(10),
      },
      { type: 'string', description: described, enum: [one(qualities), one(qualities), one(objects)] },
      {
        type: 'array',
        description: described,
        items: { type: 'string', description: `One ${one(objects)}.` },
      },
      {
        type: 'object',
        description: described,
        properties: {
          from: { type: 'string', format: 'date-time' },
          until: { type: 'string', format: 'date-time' },
        },
      },
    ][below(5)];
  }
  return { type: 'object', properties, required: [`${object}_id`], additionalProperties: false };
}

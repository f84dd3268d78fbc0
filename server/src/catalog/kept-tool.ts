import type { PackedListing, Tool } from '#domain';
import type { Place } from './pin-store.ts';

/** What the catalog alone knows of a tool. */
export interface KeptFacts {
  readonly id: string;
  readonly place: Place;
  readonly firstSeenMs: number;
}

/** How a tool stands at this moment. */
export interface Standing {
  readonly ruleName: string;
  readonly available: boolean;
  readonly quarantined: boolean;
}

/** What tools have in common that came at once and stand alike. */
type Group = Omit<KeptFacts, 'id'> & Omit<Standing, 'ruleName'>;

let lastGroup: Group | null = null;

/** Tools are made one after another: most are like the one before. */
function groupOf({ place, firstSeenMs }: KeptFacts, { available, quarantined }: Standing): Group {
  const isSame =
    lastGroup?.place === place &&
    lastGroup.firstSeenMs === firstSeenMs &&
    lastGroup.available === available &&
    lastGroup.quarantined === quarantined;
  if (!isSame || lastGroup === null) lastGroup = { place, firstSeenMs, available, quarantined };
  return lastGroup;
}

/** A tool in as little memory as it takes, as there may be very many: most of it is read from its listing when it is asked for. */
export class KeptTool implements Tool {
  readonly id: string;
  readonly group: Group;
  /** `null`: its qualified name, which is made when it is asked for. */
  readonly otherRuleName: string | null;
  /** Of those that say the same, whichever is kept elsewhere, too. */
  listing: PackedListing;

  constructor(facts: KeptFacts, standing: Standing, listing: PackedListing) {
    this.id = facts.id;
    this.group = groupOf(facts, standing);
    this.otherRuleName = standing.ruleName === qualifiedNameOf(listing) ? null : standing.ruleName;
    this.listing = listing;
  }

  get place(): Place {
    return this.group.place;
  }
  get firstSeenMs(): number {
    return this.group.firstSeenMs;
  }
  get available(): boolean {
    return this.group.available;
  }
  get quarantined(): boolean {
    return this.group.quarantined;
  }
  get ruleName(): string {
    return this.otherRuleName ?? this.qualifiedName;
  }
  get projectId(): string {
    return this.group.place.projectId;
  }
  get sourceId(): string {
    return this.group.place.sourceId;
  }
  get traits(): Tool['traits'] {
    return this.listing.traits;
  }
  get uiUris(): readonly string[] {
    return this.listing.uiUris;
  }
  get toolkit(): Tool['toolkit'] {
    return this.listing.toolkit;
  }
  get name(): string {
    return this.listing.name;
  }
  get qualifiedName(): string {
    return qualifiedNameOf(this.listing);
  }
  get requirements(): Tool['requirements'] {
    return this.listing.requirements;
  }
  get metadata(): Tool['metadata'] {
    return this.listing.metadata;
  }
  get description(): string {
    return this.listing.description;
  }
  get inputSchema(): Tool['inputSchema'] {
    return this.listing.inputSchema;
  }
  get outputSchema(): Tool['outputSchema'] {
    return this.listing.outputSchema;
  }
  get parameters(): Tool['parameters'] {
    return this.listing.parameters;
  }
  get output(): Tool['output'] {
    return this.listing.output;
  }
  get mcp(): Tool['mcp'] {
    return this.listing.mcp;
  }
}

export function qualifiedNameOf({ toolkit, name }: Pick<Tool, 'toolkit' | 'name'>): string {
  return `${toolkit.name}.${name}`;
}

/** The key of one version of a tool, within everything. */
export const versionKey = (id: string, version: string | null): string => `${id}@${version ?? ''}`;

export function newTool(facts: KeptFacts, listing: PackedListing): KeptTool {
  return new KeptTool(facts, plainStanding(listing), listing);
}

/** Until the index says otherwise. */
function plainStanding(listing: PackedListing): Standing {
  return { ruleName: qualifiedNameOf(listing), available: true, quarantined: false };
}

/** The same tool as it stands now; the same object where that is nothing new. */
export function standingAs(tool: KeptTool, standing: Standing): KeptTool {
  const isSame =
    tool.ruleName === standing.ruleName &&
    tool.available === standing.available &&
    tool.quarantined === standing.quarantined;
  return isSame ? tool : new KeptTool(tool, standing, tool.listing);
}

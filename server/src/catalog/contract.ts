import type {
  Gateway,
  JsonSchema,
  PackedListing,
  Refusal,
  RuleTarget,
  SeenTools,
  SourceOffer,
  Tool,
} from '#domain';
import type { Result } from '#foundation';
import type { Pinning, ToolChange } from './tool-change.ts';

/** One tool as one gateway shows it. */
export interface ShownTool {
  readonly tool: Tool;
  /** At most 64 characters of `[A-Za-z0-9_-]`, unique on the gateway. */
  readonly wireName: string;
  readonly description: string;
  /** Without fixed and hidden arguments. */
  readonly inputSchema: JsonSchema;
  /** `tool.mcp`, with URIs as the gateway writes them. */
  readonly mcp: Tool['mcp'];
  /**
   * The arguments to send, or the refusal that names the argument at fault: the caller's arguments checked against the
   * schema, with defaults and fixed ones filled in.
   */
  arguments(given: {
    readonly [name: string]: unknown;
  }): Result<{ readonly [name: string]: unknown }, Refusal>;
  /** Arguments that the gateway always sends, whoever else says what is sent. */
  readonly fixed?: { readonly [name: string]: unknown };
  /** Arguments that were made or changed here, checked against the tool's own schema. */
  takes(args: { readonly [name: string]: unknown }): Result<{ readonly [name: string]: unknown }, Refusal>;
}

type Members = { readonly [member: string]: unknown };

/** A prompt as one gateway shows it; `listed` is the entry for `prompts/list`. */
export interface ShownPrompt {
  readonly target: RuleTarget;
  /** Unique on the gateway; by the rules of tool names. */
  readonly wireName: string;
  /** The source's own name of it. */
  readonly own: string;
  readonly listed: Members;
}

/** A resource, or a template of resources, as one gateway shows it; `own` is the source's own URI or template. */
export interface ShownResource {
  readonly target: RuleTarget;
  readonly uri: string;
  readonly own: string;
  readonly listed: Members;
}
export interface ShownTemplate {
  readonly target: RuleTarget;
  readonly uriTemplate: string;
  readonly own: string;
  readonly listed: Members;
}

/** The lists of a gateway that can change. */
export type ListKind = 'tools' | 'prompts' | 'resources';

/** A gateway compiled for calling: rebuilt whenever its definition or the catalog changes. */
export interface GatewayView {
  readonly gateway: Gateway;
  /** Grows with every change of what the gateway shows. */
  readonly revision: number;
  /** In stable order; without those in quarantine, which only `find` knows, so that a call can be told. */
  readonly tools: readonly ShownTool[];
  /** The same, by source: what is the same list holds the same, whatever became of others. */
  readonly toolLists: readonly (readonly ShownTool[])[];
  /** By the name on the wire, exact; then by the name that rules know, ignoring case. */
  find(name: string): ShownTool | null;

  readonly prompts: readonly ShownPrompt[];
  readonly resources: readonly ShownResource[];
  readonly templates: readonly ShownTemplate[];
  findPrompt(wireName: string): ShownPrompt | null;
  findTemplate(uriTemplate: string): ShownTemplate | null;
  /**
   * Whose a URI is and what that source calls it: one that is listed, one that a template makes, one that a shown tool
   * refers to in `_meta`, or one that only a single source of the gateway can have. `null`: nobody's. Where it may be had
   * by several rules, as a resource and as the interface of tools, `target` is the first that is permitted.
   */
  findResource(
    uri: string,
    permitted?: (target: RuleTarget) => boolean,
  ): { readonly target: RuleTarget; readonly own: string } | null;
  /** How this gateway writes a source's own URI. */
  shownUri(sourceId: string, own: string): string;
  /** Whether it writes any of the source's URIs in another way than the source itself. */
  renamesUris(sourceId: string): boolean;

  /** What the one server that it shows whole, and under its own names, says to a model about itself. */
  readonly serverInstructions: { readonly text: string; readonly target: RuleTarget } | null;

  /** Has the rest read, in a process where something that it may show is not in memory yet; `null`: this is all of it. */
  readonly readRest: (() => void) | null;

  /** The MCP sources of which it shows anything, the longest-known first. */
  readonly sourceIds: readonly string[];
  /** What a source declared that it can do; `{}` where nothing is known. */
  capabilitiesOf(sourceId: string): Members;
}

export type NewGateway = Omit<Gateway, 'id' | 'origin' | 'createdAt' | 'updatedAt'>;
export type GatewayChange = Partial<Omit<NewGateway, 'projectId'>>;

/** How the tools of a project changed: those that came or are not what they were, and the ids of those that went. */
export interface OffersChange {
  readonly put: readonly Tool[];
  readonly removed: readonly string[];
}

/** The tools of a source as it listed them. */
export interface KnownTools {
  readonly tools: readonly PackedListing[];
  readonly seen: SeenTools;
}

export interface Catalog {
  /** The latest available version of every tool, or all versions, in stable order; none in quarantine. */
  tools(projectId: string, options?: { readonly allVersions?: boolean }): readonly Tool[];
  /** The latest versions, as on a gateway that has nothing to say of them; by source, as `GatewayView.toolLists`. */
  toolLists(projectId: string): readonly (readonly ShownTool[])[];
  /**
   * By the name that rules know, ignoring case: `Toolkit.Tool`, `Toolkit_Tool`, `Toolkit.Tool@1.2.3`; the latest version
   * unless one is named.
   */
  findTool(projectId: string, name: string, version?: string): Tool | null;
  /** The same as long as what the tool's source says of it is: beside its name, which its id follows from, and its version. */
  digest(tool: Tool): string;
  /**
   * Called whenever what `tools(projectId)` returns has changed, with what changed of it; `null`: all of it may have. Whoever
   * has read `tools` and heard every change since knows what it returns now.
   */
  onOffersChange(listener: (projectId: string, change: OffersChange | null) => void): () => void;
  /** One tool outside any gateway, for the REST API. */
  shown(tool: Tool): ShownTool;

  /** Makes what a source offers exactly this. Ids stay, whatever goes and comes back; and while it is pinned, approvals. */
  replaceOffer(projectId: string, sourceId: string, offer: SourceOffer, pinning?: Pinning): Promise<void>;
  /** What is kept of a source's tools, and how it wrote them, so that it need not read them again; `null`: that is not known. */
  listed(projectId: string, sourceId: string): Promise<KnownTools | null>;
  /** Tools of a source that are held back. */
  quarantined(projectId: string, sourceId: string): readonly Tool[];
  /** Definitions that a source lists and nobody approved. */
  toolChanges(projectId: string, sourceId: string): Promise<readonly ToolChange[]>;
  /** Approves those that are wanted, and returns them; the next request sees the tools. */
  approveChanges(
    projectId: string,
    sourceId: string,
    wanted: (change: ToolChange) => boolean,
  ): Promise<readonly ToolChange[]>;
  /** The source does not answer: what it offers stays listed, marked unavailable. */
  markUnavailable(projectId: string, sourceId: string): Promise<void>;
  /** The source was removed: what it offers goes, and the names that it owned are free. */
  forget(projectId: string, sourceId: string): Promise<void>;
  /** A source of the project came or went, here: only what registered ones offer is shown. */
  sourcesChanged(projectId: string): void;
  /**
   * Called with a source that answers here, while another replica has marked it unavailable or forgotten it: what it offers
   * should be said again.
   */
  onOverruled(listener: (projectId: string, sourceId: string) => void): void;
  /** Forgets every source but these. */
  keepSources(projectId: string, sourceIds: readonly string[]): Promise<void>;

  gateways(projectId: string): readonly Gateway[];
  gateway(projectId: string, id: string): Gateway | null;
  /** By slug, whatever the project. */
  view(slug: string): GatewayView | null;
  slugAvailable(slug: string): boolean;
  createGateway(gateway: NewGateway): Promise<Result<Gateway, Refusal>>;
  updateGateway(projectId: string, id: string, change: GatewayChange): Promise<Result<Gateway, Refusal>>;
  deleteGateway(projectId: string, id: string): Promise<Result<void, Refusal>>;
  applyFile(gateways: readonly Gateway[]): void;

  /** What memory holds is kept for the next start. */
  close(): Promise<void>;

  /** Called with the slug, and which of its lists, whenever what a gateway shows has changed. */
  onChange(listener: (slug: string, lists: ReadonlySet<ListKind>) => void): () => void;
}

/**
 * Catalog: which tools, prompts and resources there are, and which of them a gateway shows. It keeps what sources list, under
 * ids that stay the same whatever comes and goes, and compiles each gateway into a view that answers by name without a
 * database.
 *
 * A toolkit's name belongs to the source that listed it first, until that source is forgotten; rules know the same toolkit
 * of another source as `source-id/Toolkit` only. So nothing that turns up later takes over calls, URIs or permissions. The
 * catalog never asks a source and never decides who may call.
 */

export { createCatalog } from './catalog.ts';
export type {
  Catalog,
  GatewayChange,
  GatewayView,
  ListKind,
  NewGateway,
  OffersChange,
  ShownPrompt,
  ShownResource,
  ShownTemplate,
  ShownTool,
} from './contract.ts';
export type { Pinning, ToolChange } from './tool-change.ts';

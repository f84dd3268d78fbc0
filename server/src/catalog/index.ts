/**
 * Catalog: which tools there are, and which of them a gateway shows. It keeps what sources list, under ids that stay
 * the same whatever comes and goes, and compiles each gateway into a view that answers by name without a database.
 *
 * A name belongs to the source that had it first: a source that turns up later with the same `Toolkit.Tool` cannot
 * take over calls or permissions. The catalog never asks a source and never decides who may call.
 */

export { createCatalog } from './catalog.ts';
export type {
  Catalog,
  GatewayChange,
  GatewayView,
  ListKind,
  NewGateway,
  ShownPrompt,
  ShownResource,
  ShownTemplate,
  ShownTool,
} from './contract.ts';

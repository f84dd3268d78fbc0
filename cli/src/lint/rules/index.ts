import type { Rule } from '../rule.ts';
import { ci } from './ci.ts';
import { configmapInstall, configmapNoRoll, configmapSecret, configmapSize } from './configmaps.ts';
import { containers } from './containers.ts';
import { danglingRef } from './dangling-ref.ts';
import { dockerfile } from './dockerfile.ts';
import { duplicateObject } from './duplicate-object.ts';
import { fluxLayout } from './flux-layout.ts';
import { imageLatest, imageNoDigest, noSbom, unsigned } from './images.ts';
import { ingressOpen, ingressSyntax } from './ingress.ts';
import { labelsExtra, labelsLegacy, labelsMissing } from './labels.ts';
import { mcpjsonHeader, mcpjsonPath } from './mcp-json.ts';
import { metadata } from './metadata.ts';
import { namespace } from './namespace.ts';
import { networkpolicy } from './network-policy.ts';
import {
  nodeportBand,
  nodeportDup,
  nodeportOpen,
  nodeportRange,
  nodeportUnregistered,
} from './node-ports.ts';
import { placement } from './placement.ts';
import { ports } from './ports.ts';
import { probes } from './probes.ts';
import { resources } from './resources.ts';
import { restricted } from './restricted.ts';
import { pdbSingleReplica, rollout } from './rollout.ts';
import { schema } from './schema.ts';
import { infisicalDeprecated, secretPlain, secretRef, secretStyle } from './secrets.ts';
import { selector } from './selector.ts';
import { selectorChange } from './selector-change.ts';
import { service } from './service.ts';
import { syntax } from './syntax.ts';
import { yamlBool } from './yaml-bool.ts';

/** Every rule, in the order of the table that people are shown. */
export const rules: readonly Rule[] = [
  syntax,
  schema,
  yamlBool,
  metadata,
  duplicateObject,
  namespace,
  labelsMissing,
  labelsLegacy,
  labelsExtra,
  selector,
  selectorChange,
  ports,
  containers,
  imageLatest,
  imageNoDigest,
  unsigned,
  noSbom,
  restricted,
  resources,
  probes,
  configmapNoRoll,
  configmapSize,
  configmapInstall,
  configmapSecret,
  secretPlain,
  secretRef,
  secretStyle,
  infisicalDeprecated,
  mcpjsonPath,
  mcpjsonHeader,
  nodeportDup,
  nodeportRange,
  nodeportBand,
  nodeportUnregistered,
  nodeportOpen,
  placement,
  pdbSingleReplica,
  rollout,
  networkpolicy,
  ingressOpen,
  ingressSyntax,
  danglingRef,
  fluxLayout,
  service,
  ci,
  dockerfile,
];

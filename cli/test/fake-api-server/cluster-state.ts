import type { Json } from './json.ts';
import type { Kind } from './kinds.ts';
import type { Store } from './store.ts';

/** What ails the containers of one image or one Deployment. */
export interface PodTrouble {
  /** Ends with this code each time it starts. */
  readonly crash?: { readonly exitCode: number; readonly logs: string };
  /** Runs, but its readiness probe fails with this message. */
  readonly unready?: string;
}

/** Everything that the parts of the fake share; tests change it between requests. */
export interface ClusterState {
  readonly store: Store;
  kinds: readonly Kind[];
  nodePortRange: { from: number; to: number };
  /** Images that no registry has. */
  readonly missingImages: Set<string>;
  /** By the name of a Deployment, or by an image. */
  readonly troubles: Map<string, PodTrouble>;
  /** What containers have printed, by the name of a Deployment or by an image. */
  readonly logs: Map<string, string>;
  /** Why Pods of a namespace cannot be created: `exceeded quota: …`. */
  readonly quotas: Map<string, string>;
  /** Base URL of the process that is this Pod's container: null where nothing listens. */
  backendOf: (pod: Json) => string | null;
}

export function kindNamed(state: ClusterState, name: string): Kind {
  const found = state.kinds.find(({ kind }) => kind === name);
  if (found === undefined) throw new Error(`the fake has no kind ${name}`);
  return found;
}

import type { Live } from './live.ts';

/** Who keeps an object as it wants it, and would undo what we change. */
export interface Owner {
  readonly tool: 'Flux' | 'Helm' | 'Argo CD';
  /** `Kustomization flux-system/apps`, `release github`: where it is known. */
  readonly by: string | null;
  /** Under which it applies. */
  readonly manager: string;
}

const managers: Readonly<Record<string, Owner['tool']>> = {
  'kustomize-controller': 'Flux',
  'helm-controller': 'Flux',
  helm: 'Helm',
  'argocd-controller': 'Argo CD',
  'argocd-application-controller': 'Argo CD',
};

/** Null for an object that nobody keeps but people. */
export function ownerOf({ metadata }: Live): Owner | null {
  const { labels = {}, annotations = {}, managedFields = [] } = metadata;
  const manager = managedFields.map((entry) => entry.manager).find((name) => Object.hasOwn(managers, name));
  const kustomization = 'kustomize.toolkit.fluxcd.io';
  if (labels[`${kustomization}/name`] !== undefined) {
    const by = `Kustomization ${labels[`${kustomization}/namespace`]}/${labels[`${kustomization}/name`]}`;
    return { tool: 'Flux', by, manager: manager ?? 'kustomize-controller' };
  }
  const helmRelease = 'helm.toolkit.fluxcd.io';
  if (labels[`${helmRelease}/name`] !== undefined) {
    const by = `HelmRelease ${labels[`${helmRelease}/namespace`]}/${labels[`${helmRelease}/name`]}`;
    return { tool: 'Flux', by, manager: manager ?? 'helm-controller' };
  }
  const release = annotations['meta.helm.sh/release-name'];
  if (release !== undefined || labels['app.kubernetes.io/managed-by'] === 'Helm') {
    return {
      tool: 'Helm',
      by: release === undefined ? null : `release ${release}`,
      manager: manager ?? 'helm',
    };
  }
  const application =
    annotations['argocd.argoproj.io/tracking-id']?.split(':')[0] ?? labels['argocd.argoproj.io/instance'];
  if (application !== undefined) {
    return { tool: 'Argo CD', by: `Application ${application}`, manager: manager ?? 'argocd-controller' };
  }
  if (manager === undefined) return null;
  return { tool: managers[manager] as Owner['tool'], by: null, manager };
}

export const ownerTitle = ({ tool, by }: Owner): string => (by === null ? tool : `${tool} (${by})`);

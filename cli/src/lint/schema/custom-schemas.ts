import { z } from 'zod';
import type { Mapping } from '../../files/values.ts';
import type { SchemaProblem } from './schema-problem.ts';

/** Kinds of operators that MCP servers are deployed with; only what a mistake in would stop them. */
const name = z.string().min(1);
const labels = z.record(z.string(), z.string());
const metadata = z.looseObject({ name, namespace: name.optional(), labels: labels.optional() });
const duration = z
  .string()
  .regex(/^([0-9]+(\.[0-9]+)?(ms|s|m|h|d|w|y))+$/, 'must be a duration, such as 30s');
const base64 = z
  .string()
  .regex(/^[A-Za-z0-9+/]+={0,2}$/, 'must be base64, as kubeseal and deploy seal make it');
const reference = z.looseObject({ kind: name, name, namespace: name.optional() });

const universalAuth = z.strictObject({
  secretsScope: z.strictObject({
    projectSlug: name.optional(),
    projectId: name.optional(),
    envSlug: name,
    secretsPath: z.string().startsWith('/', 'must begin with /'),
    recursive: z.boolean().optional(),
    secretName: name.optional(),
  }),
  credentialsRef: z.strictObject({ secretName: name, secretNamespace: name }),
});
const managedSecret = z.looseObject({
  secretName: name,
  secretNamespace: name,
  secretType: name.optional(),
  creationPolicy: z.enum(['Owner', 'Orphan']).optional(),
});

const schemas: Readonly<Record<string, z.ZodType>> = {
  'secrets.infisical.com/v1alpha1 InfisicalSecret': z.strictObject({
    hostAPI: z.url().optional(),
    resyncInterval: z.int().min(1).optional(),
    syncConfig: z.looseObject({}).optional(),
    authentication: z.looseObject({ universalAuth: universalAuth.optional() }),
    managedSecretReference: managedSecret.optional(),
    managedKubeSecretReferences: z.array(managedSecret).min(1).optional(),
    managedKubeConfigMapReferences: z.array(z.looseObject({})).optional(),
    instantUpdates: z.boolean().optional(),
    tls: z.looseObject({}).optional(),
  }),
  'secrets.infisical.com/v1beta1 InfisicalStaticSecret': z.looseObject({
    infisicalAuthRef: z.looseObject({ name, namespace: name.optional() }),
    sources: z.array(z.looseObject({ environmentSlug: name, secretPath: name.optional() })).min(1),
    targets: z.array(z.looseObject({ name, kind: z.enum(['Secret', 'ConfigMap']).optional() })).min(1),
  }),
  'bitnami.com/v1alpha1 SealedSecret': z.strictObject({
    encryptedData: z.record(z.string().regex(/^[A-Za-z0-9._-]{1,253}$/, 'is no key of a Secret'), base64),
    template: z
      .strictObject({
        metadata: z.looseObject({ annotations: labels.optional(), labels: labels.optional() }).optional(),
        type: name.optional(),
        data: labels.optional(),
        immutable: z.boolean().optional(),
      })
      .optional(),
  }),
  'monitoring.coreos.com/v1 ServiceMonitor': z.looseObject({
    selector: z.looseObject({ matchLabels: labels.optional() }),
    endpoints: z
      .array(
        z.looseObject({
          port: name.optional(),
          targetPort: z.union([name, z.int()]).optional(),
          path: z.string().optional(),
          interval: duration.optional(),
          scrapeTimeout: duration.optional(),
        }),
      )
      .min(1),
    namespaceSelector: z
      .strictObject({ any: z.boolean().optional(), matchNames: z.array(name).optional() })
      .optional(),
  }),
  'helm.toolkit.fluxcd.io/v2 HelmRelease': z
    .looseObject({
      interval: duration,
      chart: z
        .looseObject({
          spec: z.looseObject({ chart: name, version: z.string().optional(), sourceRef: reference }),
        })
        .optional(),
      chartRef: reference.optional(),
      values: z.looseObject({}).optional(),
    })
    .refine(
      ({ chart, chartRef }) => (chart === undefined) !== (chartRef === undefined),
      'must have one of chart and chartRef',
    ),
  'kustomize.toolkit.fluxcd.io/v1 Kustomization': z.looseObject({
    interval: duration,
    path: z.string().optional(),
    prune: z.boolean(),
    sourceRef: reference,
    wait: z.boolean().optional(),
    timeout: duration.optional(),
  }),
};

/** What is wrong with an object of an operator's kind; nothing of kinds that are not known here. */
export function customProblems(object: Mapping, apiVersion: string, kind: string): readonly SchemaProblem[] {
  const spec = schemas[`${apiVersion} ${kind}`];
  if (spec === undefined) return [];
  const whole = z.looseObject({ metadata, spec });
  return (whole.safeParse(object).error?.issues ?? []).flatMap(problemsOf);
}

function problemsOf({ path, message, ...issue }: z.core.$ZodIssue): SchemaProblem[] {
  const steps = path.filter((step) => typeof step !== 'symbol');
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      path: [...steps, key],
      ofKey: true,
      message: 'is no field of this kind',
    }));
  }
  if (issue.code === 'invalid_type') {
    const missing = issue.input === undefined;
    return [{ path: steps, message: missing ? 'is missing' : `must be a ${issue.expected}` }];
  }
  return [{ path: steps, message: message.charAt(0).toLowerCase() + message.slice(1) }];
}

import { z } from 'zod';

/**
 * `conventions.yaml`: what a company decided once for all its MCP servers. Every value has the default of the field's
 * written-down convention; a company's file says only what differs.
 */
const resources = z.strictObject({
  requests: z.strictObject({ cpu: z.string(), memory: z.string() }),
  limits: z.strictObject({ cpu: z.string(), memory: z.string() }),
});
const small = {
  requests: { cpu: '50m', memory: '128Mi' },
  limits: { cpu: '250m', memory: '256Mi' },
};
const port = z.int().min(1).max(65_535);
const cidr = z.string().regex(/^[0-9a-fA-F.:]+\/[0-9]{1,3}$/, 'must be a CIDR, such as 10.20.0.0/24');

const cluster = z.strictObject({
  cidr: cidr.optional().describe('A hint only: what a cluster is, is said by `uid`.'),
  context: z.string().min(1).optional(),
  uid: z.string().min(1).optional().describe('uid of its namespace kube-system, which no other cluster has.'),
  allowed: z.boolean().default(false).describe('Whether MCP servers may run there.'),
  node: z
    .string()
    .min(1)
    .optional()
    .describe('Address of a node, for `.mcp.json` of servers with a NodePort.'),
  clusterDomain: z.string().min(1).default('cluster.local'),
});

const portRange = z
  .strictObject({ from: port, to: port })
  .refine(({ from, to }) => from <= to, 'from must not be greater than to');

export const conventions = z.strictObject({
  clusters: z.record(z.string(), cluster).default({
    agentic: { cidr: '10.20.0.0/24', allowed: true, clusterDomain: 'cluster.local' },
    prod: { cidr: '10.10.0.0/24', allowed: false, clusterDomain: 'cluster.local' },
    monit: { cidr: '10.30.0.0/24', allowed: false, clusterDomain: 'cluster.local' },
  }),
  cluster: z.string().default('agentic').describe('Where servers run unless they say otherwise.'),
  namespace: z.string().default('ai-platform'),
  folder: z
    .string()
    .default('kubernetes/applications/mcp-servers')
    .describe('Folder of the manifests, from the root of the repository.'),
  layout: z
    .enum(['kustomization', 'recursive'])
    .default('kustomization')
    .describe(
      '`kustomization`: files are listed in kustomization.yaml. `recursive`: Flux applies the whole folder, without one.',
    ),
  suffix: z
    .string()
    .max(10)
    .regex(/^-[a-z0-9-]*[a-z0-9]$/, 'must begin with - and end with a letter or digit')
    .default('-mcp')
    .describe('Ends the name of every Deployment and Service.'),
  component: z.string().default('mcp-server'),
  partOf: z.string().default('ai-platform'),
  patterns: z
    .strictObject({
      image: z
        .strictObject({
          port: port.default(3000),
          health: z.string().default('/health'),
          env: z
            .record(z.string(), z.string())
            .default({ MCP_TRANSPORT: 'streamable-http', MCP_HOST: '0.0.0.0', MCP_PORT: '{port}' }),
          resources: resources.default(small),
        })
        .prefault({}),
      configmap: z
        .strictObject({
          image: z.string().default('python:3.11-slim'),
          command: z.array(z.string()).default(['python', '/app/server.py']),
          mountPath: z.string().default('/app'),
          port: port.default(8080),
          health: z.string().default('tcp'),
          env: z.record(z.string(), z.string()).default({}),
          resources: resources.default(small),
        })
        .prefault({}),
      build: z
        .strictObject({
          port: port.default(8000),
          health: z.string().default('/worker/health'),
          env: z
            .record(z.string(), z.string())
            .default({
              ARCADE_SERVER_TRANSPORT: 'http',
              ARCADE_SERVER_HOST: '0.0.0.0',
              ARCADE_SERVER_PORT: '{port}',
            })
            .describe("`{port}` stands for the server's port."),
          workerSecret: z
            .strictObject({ env: z.string(), key: z.string() })
            .default({ env: 'ARCADE_WORKER_SECRET', key: 'worker-secret' })
            .describe(
              "Variable with the secret that the engine signs worker tokens with, taken from the server's Secret.",
            ),
          resources: resources.default(small),
          registry: z
            .string()
            .default('ghcr.io/example')
            .describe('Registry and path that CI pushes `<name>-mcp` to.'),
          tag: z.string().default('1.0.{run}').describe('Image tags: `{run}` is the number of the CI run.'),
        })
        .prefault({}),
    })
    .prefault({}),
  runAsUser: z.int().min(1).default(10_001),
  nodePorts: z
    .strictObject({
      range: portRange
        .default({ from: 30_000, to: 30_085 })
        .describe('Where new ports are taken from: the part that Kubernetes leaves for static choice.'),
      legacy: portRange
        .nullable()
        .default({ from: 31_100, to: 31_199 })
        .describe('Ports given out before, still valid.'),
      registry: z
        .string()
        .default('nodeports.yaml')
        .describe('In the folder of the manifests: name, port, owner, since.'),
    })
    .prefault({}),
  secrets: z
    .strictObject({
      provider: z.enum(['infisical', 'sealed', 'existing']).default('infisical'),
      infisical: z
        .strictObject({
          apiVersion: z
            .enum(['v1alpha1', 'v1beta1'])
            .default('v1alpha1')
            .describe(
              'v1alpha1 InfisicalSecret is deprecated by its vendor; v1beta1 is InfisicalStaticSecret and what it refers to.',
            ),
          hostAPI: z.string().default('https://app.infisical.com/api'),
          projectSlug: z.string().default('ai-platform'),
          envSlug: z.string().default('prod'),
          resyncIntervalSeconds: z.int().min(10).default(60),
          credentials: z
            .strictObject({ name: z.string(), namespace: z.string() })
            .default({ name: 'infisical-machine-identity', namespace: 'ai-platform' })
            .describe(
              'Secret with the machine identity (`clientId`, `clientSecret`), or with v1beta1 the name of the InfisicalAuth.',
            ),
        })
        .prefault({}),
      sealed: z
        .strictObject({
          certificate: z
            .string()
            .optional()
            .describe("PEM file of the controller's certificate, from the root of the repository."),
          scope: z.enum(['strict', 'namespace-wide', 'cluster-wide']).default('strict'),
        })
        .prefault({}),
    })
    .prefault({}),
  gateway: z
    .strictObject({
      namespace: z.string().default('sallyport'),
      url: z.string().optional().describe('Address of the Sallyport that servers are registered with.'),
    })
    .prefault({})
    .describe('Whose calls NetworkPolicies let in.'),
  monitoring: z
    .strictObject({
      namespace: z.string().default('monitoring'),
      serviceMonitorLabels: z.record(z.string(), z.string()).default({ release: 'prometheus-operator' }),
    })
    .prefault({}),
  ingress: z
    .strictObject({
      className: z.string().default('nginx'),
      namespace: z
        .string()
        .default('ingress-nginx')
        .describe('Of the controller, whose calls NetworkPolicies of public servers let in.'),
      authUrl: z.url().optional().describe('Where nginx asks about callers of servers with `auth: oauth`.'),
      readTimeoutSeconds: z.int().min(1).default(300).describe('Longest answer that is waited for.'),
    })
    .prefault({}),
  images: z
    .strictObject({
      requireDigest: z
        .boolean()
        .default(false)
        .describe('Whether an image without digest is an error rather than a warning.'),
      cosignKey: z
        .string()
        .min(1)
        .optional()
        .describe(
          'Public key that images are signed with by cosign (ECDSA P-256, RSA): PEM, or its file from the root of the repository.',
        ),
    })
    .prefault({}),
  knownServices: z
    .array(z.string())
    .default([])
    .describe('Services outside this repository that servers may refer to, as `name.namespace`.'),
  mcpJson: z
    .string()
    .default('.mcp.json')
    .describe('Client configuration that lists the servers, from the root of the repository.'),
});

export type Conventions = z.infer<typeof conventions>;

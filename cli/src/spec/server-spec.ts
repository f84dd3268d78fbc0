import { z } from 'zod';

/**
 * `server.yaml`: one MCP server on Kubernetes, as its owner writes it down. What it leaves out comes from the company's
 * conventions (`conventions.yaml`), so that most files are ten lines.
 */

/** DNS-1123 label, short enough that `<name>-mcp-code` and the names Kubernetes makes of it stay one. */
export const serverName = z
  .string()
  .regex(
    /^[a-z0-9]([a-z0-9-]{0,46}[a-z0-9])?$/,
    'must be a DNS label: 1 to 48 of a-z 0-9 -, beginning and ending with a letter or digit',
  );
const dnsLabel = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'must be a DNS label: 1 to 63 of a-z 0-9 -');
const dnsName = z
  .string()
  .max(253)
  .regex(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/, 'must be a DNS name of a-z 0-9 - .');
const port = z.int().min(1, 'must be 1 to 65535').max(65_535, 'must be 1 to 65535');
const httpPath = z.string().regex(/^\/[^\s?#]*$/, 'must be a path that begins with /');
const quantity = z
  .string()
  .regex(/^[0-9]+(\.[0-9]+)?(m|k|Ki|M|Mi|G|Gi)?$/, 'must be a quantity, such as 250m or 256Mi');
const envName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]{0,255}$/, 'is not a valid name of an environment variable');
const secretKey = z.string().regex(/^[A-Za-z0-9._-]{1,253}$/, 'is not a valid key of a Secret');
/** `[registry/]repository[:tag][@sha256:…]` */
const image = z
  .string()
  .regex(
    /^[a-z0-9]+([._:/-]+[a-z0-9]+)*(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@sha256:[a-f0-9]{64})?$/,
    'must be an image reference, such as ghcr.io/acme/proxmox-mcp:1.4.2',
  );

/** Where the values of a secret come from: never from this file. */
const secret = z.strictObject({
  name: dnsName.optional().describe('Name of the Secret object; `<name>-mcp-secrets` unless given.'),
  from: z
    .enum(['infisical', 'sealed', 'existing'])
    .optional()
    .describe(
      "Who makes the object: the convention's provider unless given. `existing`: it is there already.",
    ),
  env: z.record(envName, secretKey).default({}).describe('Environment variable → key of the Secret.'),
  mountPath: httpPath.optional().describe('The whole Secret as files below this path.'),
  infisical: z
    .strictObject({
      projectSlug: z.string().min(1).max(200).optional(),
      envSlug: z.string().min(1).max(200).optional(),
      secretsPath: httpPath.optional(),
      hostAPI: z.url().optional(),
      resyncIntervalSeconds: z.int().min(10).max(86_400).optional(),
    })
    .optional()
    .describe('Where Infisical keeps it; what is left out comes from the conventions.'),
});

const ingress = z.strictObject({
  host: dnsName,
  className: dnsLabel.optional(),
  paths: z
    .array(httpPath)
    .min(1)
    .optional()
    .describe(
      'Only these paths are reachable from outside; `/worker` unless given, which checks tokens itself.',
    ),
  auth: z
    .enum(['none', 'oauth'])
    .default('none')
    .describe('Who checks callers of other paths before they reach the server.'),
  tlsSecret: dnsName.optional(),
  annotations: z.record(z.string().min(1).max(317), z.string()).default({}),
  cname: dnsName
    .optional()
    .describe('Domain that DNS points to this host (a CNAME, as a Terraform snippet).'),
});

const health = z.union([
  z.literal('tcp'),
  httpPath,
  z.strictObject({
    path: z.union([z.literal('tcp'), httpPath]).optional(),
    port: port.optional(),
    initialDelaySeconds: z.int().min(0).max(3600).optional(),
    periodSeconds: z.int().min(1).max(3600).optional(),
  }),
]);

const resources = z.strictObject({
  requests: z.strictObject({ cpu: quantity.optional(), memory: quantity.optional() }).optional(),
  limits: z.strictObject({ cpu: quantity.optional(), memory: quantity.optional() }).optional(),
});

const kubernetesText = z.string().max(262_144);
const permissionRule = z.strictObject({
  apiGroups: z.array(kubernetesText),
  resources: z.array(kubernetesText),
  verbs: z.array(kubernetesText),
  resourceNames: z.array(kubernetesText).optional(),
});

export const serverSpec = z.strictObject({
  name: serverName.describe(
    'Everything is named after it: Deployment and Service `<name>-mcp`, file `<name>-mcp.yaml`.',
  ),
  description: z.string().max(1000).optional().describe('What it is for, in a sentence.'),
  owner: z.string().min(1).max(200).describe('Team or person who answers for it.'),
  pattern: z
    .enum(['image', 'configmap', 'build'])
    .describe(
      '`image`: a maintained image that somebody else builds (preferred). `configmap`: code in a ConfigMap, for prototypes. `build`: an image of our own, built by CI from the Dockerfile beside this file.',
    ),
  image: image
    .optional()
    .describe("For `image` and `build`; for `configmap` another base image than the convention's."),
  imagePullSecrets: z
    .array(dnsName)
    .optional()
    .describe('Names of Secrets that open the registry of the image.'),
  code: z
    .record(
      z.string().regex(/^[A-Za-z0-9._-]{1,253}$/, 'is not a valid key of a ConfigMap'),
      z.string().min(1),
    )
    .optional()
    .describe('`configmap`: files of code by their name below the mount, each a path beside this file.'),
  command: z.array(z.string()).optional().describe('In place of what the image starts.'),
  args: z.array(z.string()).optional().describe('Arguments of what is started.'),
  port: port.optional().describe("Where the container listens; the pattern's convention unless given."),
  servicePort: port.optional().describe('Where the Service listens; as the container unless given.'),
  path: httpPath.default('/mcp').describe('Path of the MCP endpoint.'),
  health: health
    .optional()
    .describe(
      'How Kubernetes asks whether it lives: a path, `tcp`, or more exactly. Never the MCP endpoint.',
    ),
  env: z
    .record(envName, z.string())
    .default({})
    .describe('Variables beside those of the pattern; no secrets.'),
  secrets: z
    .array(secret)
    .default([])
    .describe('Secrets as variables or files; their values are never in here.'),
  resources: resources.optional().describe('What differs from the conventions.'),
  replicas: z
    .int()
    .min(0)
    .max(50)
    .default(1)
    .describe('More than one need a server without sessions, or clients of the newest revision.'),
  expose: z
    .strictObject({ nodePort: z.union([port, z.literal('auto')]).optional(), ingress: ingress.optional() })
    .default({})
    .describe(
      'Reachable inside the cluster always; from outside by a registered port of every node, or by an Ingress.',
    ),
  egress: z
    .union([
      z.literal('any'),
      z.array(
        z.strictObject({
          cidr: z.string().regex(/^[0-9a-fA-F.:]+\/[0-9]{1,3}$/, 'must be a CIDR, such as 10.20.0.0/24'),
          ports: z.array(port).optional(),
          for: z.string().max(200).optional().describe('What it is, as a comment for people.'),
        }),
      ),
    ])
    .optional()
    .describe(
      'What it may reach beside DNS. `any` is everything; CIDRs, as a NetworkPolicy knows no host names.',
    ),
  permissions: z
    .array(permissionRule)
    .optional()
    .describe('Rights in the cluster: a ServiceAccount and a Role with just these.'),
  writable: z
    .array(httpPath)
    .default([])
    .describe('Directories it writes to, each an emptyDir; the root file system is read-only.'),
  runAsUser: z
    .int()
    .min(1)
    .max(2_147_483_647)
    .optional()
    .describe("uid that the container runs as; the convention's unless given."),
  metricsPort: port
    .optional()
    .describe('`metrics`: port with Prometheus metrics, scraped through a ServiceMonitor.'),
  cluster: dnsLabel.optional().describe('One of conventions.yaml; its usual one unless given.'),
  namespace: dnsLabel.optional().describe('That of the conventions unless given.'),
  labels: z
    .record(z.string().min(1).max(317), z.string().max(63))
    .default({})
    .describe('Further labels, on every object.'),
  annotations: z
    .record(z.string().min(1).max(317), z.string())
    .default({})
    .describe('Further annotations, on the Deployment and its pods.'),
  patches: z
    .array(
      z.strictObject({
        kind: z.string().min(1).max(63),
        name: dnsName.optional(),
        patch: z.record(z.string(), z.unknown()),
      }),
    )
    .default([])
    .describe(
      'What the convention has no word for: patches over the generated object of this kind, as kustomize has them (mappings are merged, lists of named items by their names, `null` removes). An import puts here what it would lose otherwise.',
    ),
  objects: z
    .array(z.looseObject({ apiVersion: z.string().min(1), kind: z.string().min(1) }))
    .default([])
    .describe('Further objects, as they are.'),
  verify: z
    .strictObject({
      tools: z.array(z.string().min(1)).optional(),
      call: z
        .strictObject({ tool: z.string().min(1), arguments: z.record(z.string(), z.unknown()).default({}) })
        .optional(),
    })
    .optional()
    .describe('What `verify` expects: these tools are listed, and this one answers.'),
  register: z
    .strictObject({
      id: z
        .string()
        .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/)
        .optional()
        .describe('Id of the source; the name unless given.'),
      type: z.enum(['mcp', 'http']).default('mcp'),
      gateways: z.array(z.string().min(1).max(100)).default([]),
    })
    .optional()
    .describe('How it is known to Sallyport.'),
});

export type ServerSpec = z.infer<typeof serverSpec>;
export type Pattern = ServerSpec['pattern'];

/** What the CI workflow of one server is made of. */
export interface WorkflowWords {
  /** `github-mcp` */
  readonly object: string;
  /** Folder of the server, from the root of the repository, with `/`; `.` for the root itself. */
  readonly folder: string;
  /** The workflow's own path, so that a change of it runs it. */
  readonly path: string;
  /** Registry and path, without the name of the image. */
  readonly registry: string;
  /** `1.0.{run}` */
  readonly tag: string;
  /** Whether images are signed with a key of the company rather than by a certificate of the run. */
  readonly key: boolean;
  /** Steps that test the server, as YAML with the indentation of a step. */
  readonly test: string;
}

/** Actions by the commit of a release: a tag can be moved, a commit cannot. */
const actions = {
  checkout: 'actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2',
  node: 'actions/setup-node@49933ea5288caeca8642d1e84afbd3f7d6820020 # v4.4.0',
  python: 'actions/setup-python@a26af69be951a213d495a4c3e4e4022e16d87065 # v5.6.0',
  buildx: 'docker/setup-buildx-action@b5ca514318bd6ebac0fb2aedd5d36ec1b5c232a2 # v3.10.0',
  login: 'docker/login-action@74a5d142397b4f367a81961eba4e8cd7edddf772 # v3.4.0',
  build: 'docker/build-push-action@263435318d21b8e681c14492fe198d362a7d2c83 # v6.18.0',
  aws: 'aws-actions/configure-aws-credentials@b47578312673ae6fa5b5096b330d9fbac3d116df # v4.2.1',
  ecr: 'aws-actions/amazon-ecr-login@062b18b96a7aff071d4dc91bc00c4c1a7945b076 # v2.0.1',
  azure: 'azure/login@a457da9ea143d694b1b9c7c869ebb04ebe844ef5 # v2.3.0',
  google: 'google-github-actions/auth@ba79af03959ebeac9769e648f473a284504d9193 # v2.1.10',
  cosign: 'sigstore/cosign-installer@398d4b0eeef1380460a10c8013a76f728fb906ac # v3.9.1',
} as const;

export const nodeTest = `      - uses: ${actions.node}
        with:
          node-version: 24
      - run: npm ci --no-audit --no-fund
      - run: npm run types && npm test
`;

export const pythonTest = `      - uses: ${actions.python}
        with:
          python-version: "3.11"
      - run: pip install $(test -f requirements.lock && echo "--require-hashes -r requirements.lock" || echo "-r requirements.txt")
      - run: python -m unittest
`;

/**
 * `.github/workflows/<name>-mcp.yaml`: tests, builds and signs the image on push to main and by hand. It signs in to the registry
 * by the workflow's own identity (OIDC), so that no password is kept anywhere.
 */
export function workflow(words: WorkflowWords): string {
  const { object, folder, path, registry, tag, key, test } = words;
  const imageTag = tag.replaceAll('{run}', `\${{ github.run_number }}`);
  const paths = folder === '.' ? '' : `\n    paths:\n      - ${folder}/**\n      - ${path}`;
  return `name: ${object}

on:
  push:
    branches: [main]${paths}
  workflow_dispatch:

permissions: {}

concurrency:
  group: ${object}-\${{ github.ref }}

jobs:
  image:
    runs-on: ubuntu-24.04
    timeout-minutes: 20
    permissions:
      contents: read
      id-token: write${registry.startsWith('ghcr.io/') ? '\n      packages: write' : ''}
    outputs:
      image: \${{ steps.reference.outputs.image }}
    defaults:
      run:
        working-directory: ${folder}
    steps:
      - uses: ${actions.checkout}
        with:
          persist-credentials: false
${test}${signIn(registry)}      - uses: ${actions.buildx}
      - id: build
        uses: ${actions.build}
        with:
          context: ${folder}
          push: true
          provenance: mode=max
          sbom: true
          tags: ${registry}/${object}:${imageTag}
      - uses: ${actions.cosign}
      - id: reference
        name: Sign, and say what server.yaml is to name
        env:
          IMAGE: ${registry}/${object}
          TAG: ${imageTag}
          DIGEST: \${{ steps.build.outputs.digest }}
${key ? cosignKey : ''}        run: |
          cosign sign --yes ${key ? '--key "$COSIGN_KEY" ' : ''}"$IMAGE@$DIGEST"
          echo "image=$IMAGE:$TAG@$DIGEST" >> "$GITHUB_OUTPUT"
          echo "\\\`image: $IMAGE:$TAG@$DIGEST\\\`" >> "$GITHUB_STEP_SUMMARY"
`;
}

const cosignKey = `          # Where a key service keeps it, such as awskms:///alias/cosign or azurekms://…; its public half is images.cosignKey.
          COSIGN_KEY: \${{ vars.COSIGN_KEY }}
`;

/** What is a name or a role of the company stands in the repository's variables; none of it is a secret. */
function signIn(registry: string): string {
  const host = registry.split('/')[0] ?? '';
  if (/^\d+\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com$/.test(host)) {
    const region = host.split('.')[3];
    return `      - uses: ${actions.aws}
        with:
          role-to-assume: \${{ vars.AWS_ROLE_ARN }}
          aws-region: ${region}
      - uses: ${actions.ecr}
`;
  }
  if (host.endsWith('.azurecr.io')) {
    return `      - uses: ${actions.azure}
        with:
          client-id: \${{ vars.AZURE_CLIENT_ID }}
          tenant-id: \${{ vars.AZURE_TENANT_ID }}
          subscription-id: \${{ vars.AZURE_SUBSCRIPTION_ID }}
      - run: az acr login --name ${host.slice(0, -'.azurecr.io'.length)}
`;
  }
  if (host.endsWith('.pkg.dev') || host === 'gcr.io') {
    return `      - id: google
        uses: ${actions.google}
        with:
          workload_identity_provider: \${{ vars.GCP_WORKLOAD_IDENTITY_PROVIDER }}
          service_account: \${{ vars.GCP_SERVICE_ACCOUNT }}
          token_format: access_token
      - uses: ${actions.login}
        with:
          registry: ${host}
          username: oauth2accesstoken
          password: \${{ steps.google.outputs.access_token }}
`;
  }
  if (host === 'ghcr.io') {
    return `      # The token is this run's own and ends with it.
      - uses: ${actions.login}
        with:
          registry: ghcr.io
          username: \${{ github.actor }}
          password: \${{ github.token }}
`;
  }
  return `      # ${host} must trust the tokens of this repository (OIDC): exchange one here for a login that ends with this run.
      - name: Sign in to ${host}
        run: echo "::error::no way to sign in to ${host} is known; add its step here" && exit 1
`;
}

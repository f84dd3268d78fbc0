import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import {
  createGatewayRequest,
  declaredAuthProviderRequest,
  declaredHookRequest,
  declaredPluginRequest,
  declaredSecretRequest,
  declaredUserSourceRequest,
  declaredWorkerRequest,
  grantRequest,
  limitRequest,
  ruleRequest,
} from '@sallyport/contracts';
import { checkAuthProvider } from '#credentials';
import { newGatewayFromRequest } from '#domain';
import { checkUserAssertion, checkUserSource, newUserSourceFromRequest } from '#identity';
import { checkRule } from '#policy';
import type { FurtherChecks } from './check.ts';
import { loadConfigFile } from './config-file.ts';
import { hubRequest } from './hub-section.ts';
import { formatMistake } from './mistakes.ts';
import { rootKeyRequest } from './root-keys.ts';

const checks: FurtherChecks = {
  rule: checkRule,
  gateway: (request) => checkUserAssertion(newGatewayFromRequest(request, { projectId: '' }).userAssertion),
  userSource: ({ id, name = id, ...request }) =>
    checkUserSource(newUserSourceFromRequest({ name, ...request }, { id, projectId: '' })),
  authProvider: checkAuthProvider,
};
function rootKeyFields(): string[] {
  const { aws_kms, gcp_kms, azure_key_vault, vault_transit, ...plain } = rootKeyRequest.shape;
  const blocks = { aws_kms, gcp_kms, azure_key_vault, vault_transit };
  const inBlocks = Object.entries(blocks).flatMap(([name, block]) =>
    Object.keys(block.unwrap().shape).map((field) => `${name}.${field}`),
  );
  return [...Object.keys(plain), ...inBlocks];
}
function hubFields(): string[] {
  const { learning, auto, ...models } = hubRequest.shape;
  const inBlocks = Object.entries(models).flatMap(([name, block]) =>
    Object.keys(block.unwrap().shape).map((field) => `hub.${name}.${field}`),
  );
  return [
    'hub.learning',
    ...Object.keys(auto.unwrap().shape).map((field) => `hub.auto.${field}`),
    ...inBlocks,
  ];
}
const page = readFileSync(new URL('../../../docs/config.md', import.meta.url), 'utf8');

it('docs/config.md names every variable and every field', () => {
  const source = readFileSync(new URL('./settings.ts', import.meta.url), 'utf8');
  const variables = [...source.matchAll(/read(?:<[^>]+>)?\(\s*'([A-Z_]+)'/g)].map(
    ([, name]) => name as string,
  );
  assert.ok(variables.length >= 15, 'the pattern finds them');
  const { http, mcp } = declaredWorkerRequest.shape;
  const provider = declaredAuthProviderRequest.in.shape;
  const within = (block: string, shape: object) => Object.keys(shape).map((field) => `${block}.${field}`);
  const fields = [
    ...Object.keys(declaredWorkerRequest.shape),
    ...within('http', http.unwrap().shape),
    ...within('mcp', mcp.unwrap().shape),
    ...within('mcp.stdio', mcp.unwrap().shape.stdio.unwrap().shape),
    ...Object.keys(createGatewayRequest.shape),
    ...within('user_assertion', createGatewayRequest.shape.user_assertion.unwrap().unwrap().shape),
    ...Object.keys(grantRequest.shape),
    ...Object.keys(grantRequest.shape.metadata.unwrap().shape),
    ...Object.keys(ruleRequest.shape),
    ...within('match', ruleRequest.shape.match.unwrap().shape),
    ...Object.keys(limitRequest.shape),
    ...within('rate', limitRequest.shape.rate.unwrap().shape),
    ...Object.keys(declaredPluginRequest.shape),
    ...Object.keys(declaredHookRequest.shape),
    ...Object.keys(declaredUserSourceRequest.shape),
    ...within('security', { root_keys: null }),
    ...rootKeyFields(),
    ...hubFields(),
    ...Object.keys(provider),
    ...within('oauth2', provider.oauth2.unwrap().shape),
    ...within('header', provider.header.unwrap().shape),
    ...within('entry', provider.entry.unwrap().shape),
    ...within('token_exchange', provider.token_exchange.unwrap().shape),
    ...Object.keys(declaredSecretRequest.shape),
  ];
  for (const name of [...variables, ...fields]) {
    assert.match(page, new RegExp(`\`${name.replaceAll('.', '\\.')}[\`.]`), name);
  }
});

it('the example in docs/config.md is a config file that works', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'sallyport-docs-'));
  try {
    const path = join(directory, 'sallyport.yaml');
    writeFileSync(path, /```yaml\n([\s\S]+?)```/.exec(page)?.[1] ?? '');
    writeFileSync(join(directory, 'wiki-token'), 'token\n');
    const env = {
      REFERENCE_SECRET: 'secret',
      FILES_KEY: 'key',
      DLP_TOKEN: 'token',
      IDP_SECRET: 'secret',
      SEARCH_API_KEY: 'k',
      GITHUB_CLIENT_SECRET: 'secret',
      CRM_CLIENT_SECRET: 'secret',
      VOYAGE_API_KEY: 'key',
    };
    const loaded = await loadConfigFile(path, env, checks);
    assert.deepEqual(loaded.ok ? [] : loaded.error.map(formatMistake), []);
    assert.ok(loaded.ok);
    const { workers, gateways, grants, rules, limits, plugins, hooks, userSources, authProviders } =
      loaded.value;
    assert.deepEqual(
      [workers, gateways, grants, rules, limits, plugins, hooks, userSources, authProviders].map(
        ({ length }) => length,
      ),
      [3, 1, 3, 3, 2, 2, 1, 4, 2],
    );
  } finally {
    rmSync(directory, { recursive: true });
  }
});

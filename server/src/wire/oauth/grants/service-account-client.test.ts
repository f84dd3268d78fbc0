import assert from 'node:assert/strict';
import { it } from 'node:test';
import { newGatewayFromRequest } from '#domain';
import type { ServiceAccount } from '#identity';
import { maySignInAt, serviceAccountClient } from './service-account-client.ts';

const account: ServiceAccount = {
  id: 'svc_a',
  projectId: 'default',
  name: 'A',
  description: '',
  hasSecret: true,
  jwks: { keys: [{ kty: 'OKP' }] },
  role: 'member',
  active: true,
  createdAt: '',
  updatedAt: '',
};

it('an account with a secret and keys signs in by whichever it brings', () => {
  const methodOf = (presents: 'assertion' | 'secret', more: Partial<ServiceAccount> = {}) =>
    serviceAccountClient({ ...account, ...more }, presents)?.token_endpoint_auth_method;
  assert.equal(methodOf('secret'), 'client_secret_basic');
  assert.equal(methodOf('assertion'), 'private_key_jwt');
  assert.equal(methodOf('assertion', { jwks: null }), 'client_secret_basic');
  assert.equal(methodOf('secret', { hasSecret: false }), 'private_key_jwt');
});

it('an account that is deactivated, gone or has nothing to sign in with is no client', () => {
  assert.equal(serviceAccountClient(null, 'secret'), undefined);
  assert.equal(serviceAccountClient({ ...account, active: false }, 'secret'), undefined);
  assert.equal(serviceAccountClient({ ...account, hasSecret: false, jwks: null }, 'assertion'), undefined);
});

it('an account signs in at active gateways of its own project that take sign-ins', () => {
  const gateway = {
    ...newGatewayFromRequest({ name: 'G', slug: 'g', auth_types: ['arcade'] }, { projectId: 'default' }),
    id: 'gw',
    origin: 'api' as const,
    createdAt: '',
    updatedAt: '',
  };
  assert.equal(maySignInAt(account, gateway), true);
  assert.equal(maySignInAt(account, { ...gateway, authTypes: ['arcade_header', 'user_source'] }), true);
  assert.equal(maySignInAt(account, { ...gateway, authTypes: ['arcade_header'] }), false);
  assert.equal(maySignInAt(account, { ...gateway, status: 'inactive' }), false);
  assert.equal(maySignInAt(account, { ...gateway, projectId: 'other' }), false);
});

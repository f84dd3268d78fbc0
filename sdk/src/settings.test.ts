import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { resolveSettings } from './settings.ts';

describe('settings', () => {
  it('are stdio on a loopback address where nothing is set', () => {
    const { transport, host, port, worker, userId } = resolveSettings({ env: {} });
    assert.deepEqual(
      { transport, host, port, worker, userId },
      { transport: 'stdio', host: '127.0.0.1', port: 8000, worker: null, userId: null },
    );
  });

  it('in the environment win over those in the code', () => {
    const env = {
      ARCADE_SERVER_TRANSPORT: 'http',
      ARCADE_SERVER_HOST: '::1',
      ARCADE_SERVER_PORT: '0',
      ARCADE_WORKER_SECRET: 'from the environment',
      ARCADE_USER_ID: 'alice',
    };
    const code = {
      transport: 'stdio',
      host: '0.0.0.0',
      port: 1,
      workerSecret: 'from the code',
      env,
    } as const;
    assert.deepEqual(resolveSettings(code), {
      transport: 'http',
      host: '::1',
      port: 0,
      worker: { auth: 'jwt', secret: 'from the environment', strict: false },
      userId: 'alice',
      env,
    });
  });

  it('under a SALLYPORT name win over the same under an ARCADE name', () => {
    const env = {
      ARCADE_SERVER_PORT: '1',
      SALLYPORT_SERVER_PORT: '2',
      ARCADE_WORKER_SECRET: 'a',
      SALLYPORT_WORKER_SECRET: 's',
      ARCADE_SERVER_TRANSPORT: 'stdio',
      SALLYPORT_SERVER_TRANSPORT: 'http',
      ARCADE_SERVER_HOST: 'a.example',
      SALLYPORT_SERVER_HOST: 's.example',
    };
    const { port, worker, transport, host } = resolveSettings({ env });
    assert.deepEqual(
      { port, worker, transport, host },
      { port: 2, worker: { auth: 'jwt', secret: 's', strict: false }, transport: 'http', host: 's.example' },
    );
  });

  it('that are empty count as not set', () => {
    const env = { SALLYPORT_WORKER_SECRET: '', ARCADE_WORKER_SECRET: 'a', ARCADE_SERVER_PORT: '' };
    const { port, worker } = resolveSettings({ env, port: 5 });
    assert.deepEqual({ port, worker }, { port: 5, worker: { auth: 'jwt', secret: 'a', strict: false } });
  });

  const bad: Record<string, string> = {
    SALLYPORT_SERVER_TRANSPORT: 'carrier pigeon',
    ARCADE_SERVER_TRANSPORT: 'HTTP',
    SALLYPORT_SERVER_PORT: '65536',
    ARCADE_SERVER_PORT: '80a',
    ARCADE_AUTH_DISABLED: 'maybe',
    SALLYPORT_WORKER_STRICT: 'yes',
  };
  for (const [name, value] of Object.entries(bad)) {
    it(`with a bad ${name} are an error that names it`, () => {
      assert.throws(() => resolveSettings({ env: { [name]: value } }), new RegExp(name));
    });
  }

  it('turn worker authentication off on a loopback host only', () => {
    const env = { ARCADE_AUTH_DISABLED: 'true', ARCADE_WORKER_SECRET: 'temp-validation-secret' };
    assert.deepEqual(resolveSettings({ env }).worker, { auth: 'off' });
    assert.throws(() => resolveSettings({ env, host: '0.0.0.0' }), /ARCADE_AUTH_DISABLED.*0\.0\.0\.0/);
  });

  it('make a worker strict in the code or in the environment, which wins', () => {
    const strictOf = (env: Record<string, string>, strict?: boolean) => {
      const { worker } = resolveSettings({
        env,
        workerSecret: 's',
        ...(strict === undefined ? {} : { strict }),
      });
      return worker?.auth === 'jwt' && worker.strict;
    };
    assert.equal(strictOf({}, true), true);
    assert.equal(strictOf({ SALLYPORT_WORKER_STRICT: 'true' }), true);
    assert.equal(strictOf({ ARCADE_WORKER_STRICT: '1' }, false), true);
    assert.equal(strictOf({ SALLYPORT_WORKER_STRICT: 'false' }, true), false);
  });

  it('are refused where strict mode could not hold', () => {
    const env = { SALLYPORT_WORKER_STRICT: 'true' };
    assert.throws(() => resolveSettings({ env }), /needs a worker secret/);
    const open = { ...env, ARCADE_AUTH_DISABLED: 'true', SALLYPORT_WORKER_SECRET: 's' };
    assert.throws(() => resolveSettings({ env: open }), /ARCADE_AUTH_DISABLED contradicts strict mode/);
  });
});

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { anyCharacter } from '../../test/any-character.ts';
import { readSettings, roles } from './settings.ts';

const nowhere = '/nonexistent-working-directory';

describe('readSettings', () => {
  it('an empty environment gives the documented defaults', () => {
    assert.deepEqual(readSettings({}, nowhere), {
      ok: true,
      value: {
        host: '127.0.0.1',
        port: 9099,
        publicUrl: null,
        dataDir: `${nowhere}/.sallyport`,
        databaseUrl: null,
        redisUrl: null,
        configPath: null,
        adminKey: null,
        rootKey: null,
        roles: new Set(roles),
        processes: Math.min(availableParallelism(), 64),
        demo: true,
        egressAllow: [],
        logLevel: 'info',
        logFormat: null,
        auditDurability: null,
        metricsToken: null,
        otel: null,
        processEnv: {},
      },
    });
  });

  it('every variable is read', () => {
    const env = {
      SALLYPORT_HOST: '::1',
      SALLYPORT_PORT: '0',
      SALLYPORT_PUBLIC_URL: 'https://mcp.corp.example/',
      SALLYPORT_DATA_DIR: 'state',
      DATABASE_URL: 'postgres://sally:port@db/main',
      SALLYPORT_REDIS_URL: 'rediss://sally:port@cache:6380/2',
      SALLYPORT_CONFIG: '/etc/sallyport.yaml',
      SALLYPORT_ADMIN_KEY: 'sixteen-letters!',
      SALLYPORT_ROOT_KEY: Buffer.alloc(32, 7).toString('base64'),
      SALLYPORT_ROLES: 'jobs, gateway',
      SALLYPORT_PROCESSES: '3',
      SALLYPORT_DEMO: 'off',
      SALLYPORT_EGRESS_ALLOW: '10.0.0.0/8, *.corp.example,http://tools.internal:8080,fd00::/8',
      SALLYPORT_LOG_LEVEL: 'debug',
      SALLYPORT_LOG_FORMAT: 'pretty',
      SALLYPORT_AUDIT_DURABILITY: 'strict',
      SALLYPORT_METRICS_TOKEN: 'sixteen-letters-too',
    };
    assert.deepEqual(readSettings(env, nowhere), {
      ok: true,
      value: {
        host: '::1',
        port: 0,
        publicUrl: 'https://mcp.corp.example',
        dataDir: `${nowhere}/state`,
        databaseUrl: 'postgres://sally:port@db/main',
        redisUrl: 'rediss://sally:port@cache:6380/2',
        configPath: '/etc/sallyport.yaml',
        adminKey: 'sixteen-letters!',
        rootKey: Buffer.alloc(32, 7),
        roles: new Set(['gateway', 'jobs']),
        processes: 3,
        demo: false,
        egressAllow: ['10.0.0.0/8', '*.corp.example', 'http://tools.internal:8080', 'fd00::/8'],
        logLevel: 'debug',
        logFormat: 'pretty',
        auditDurability: 'strict',
        metricsToken: 'sixteen-letters-too',
        otel: null,
        processEnv: {},
      },
    });
  });

  it('what a process of ours gets of the environment holds no secret of ours', () => {
    const handedOn = { PATH: '/bin', HOME: '/home/a', LANG: 'C.UTF-8', TMPDIR: '/tmp' };
    const read = readSettings({ ...handedOn, DATABASE_URL: 'postgres://a:b@c/d', TOKEN: 'secret' }, nowhere);
    assert.deepEqual(read.ok && read.value.processEnv, handedOn);
  });

  it('all mistakes come together, each naming its variable, none repeating a value', () => {
    const wrong = {
      SALLYPORT_HOST: 'SEKRET host',
      SALLYPORT_PORT: '65536',
      SALLYPORT_PUBLIC_URL: 'https://user:SEKRET@x/path',
      DATABASE_URL: 'mysql://root:SEKRET@db',
      SALLYPORT_REDIS_URL: 'redis://SEKRET@cache/main',
      SALLYPORT_ADMIN_KEY: 'SEKRET',
      SALLYPORT_ROOT_KEY: 'SEKRET of more than 32 bytes, which is no key of 32',
      SALLYPORT_ROLES: 'gateway,SEKRET',
      SALLYPORT_DEMO: 'SEKRET',
      SALLYPORT_EGRESS_ALLOW: '10.0.0.0/33,SEKRET',
      SALLYPORT_LOG_LEVEL: 'SEKRET',
      SALLYPORT_AUDIT_DURABILITY: 'SEKRET',
    };
    const read = readSettings(wrong, nowhere);
    assert.ok(!read.ok);
    assert.deepEqual(
      read.error.map((mistake) => mistake.split(': expected ')[0]),
      Object.keys(wrong),
    );
    assert.doesNotMatch(read.error.join('\n'), /SEKRET/);
  });

  it('a Redis server is named by an address or by a socket', () => {
    for (const url of [
      'redis://cache',
      'rediss://a:b@[::1]:6380/0',
      'unix:///run/redis.sock',
      'unix://a:b@/r.sock?db=1',
    ]) {
      const read = readSettings({ SALLYPORT_REDIS_URL: url }, nowhere);
      assert.equal(read.ok && read.value.redisUrl, url);
    }
    for (const url of [
      'cache:6379',
      'http://cache',
      'redis://cache/main',
      'redis:///',
      'unix://run/redis.sock/x?a',
    ])
      assert.equal(readSettings({ SALLYPORT_REDIS_URL: url }, nowhere).ok, false, url);
  });

  it('an empty variable counts as not set', () => {
    const read = readSettings({ SALLYPORT_PORT: '', DATABASE_URL: ' ', SALLYPORT_ADMIN_KEY: '' }, nowhere);
    assert.ok(read.ok);
    assert.equal(read.value.port, 9099);
    assert.equal(read.value.databaseUrl, null);
    assert.equal(read.value.adminKey, null);
  });

  it('a Kubernetes service link in SALLYPORT_PORT does not stop the start', () => {
    const read = readSettings({ SALLYPORT_PORT: 'tcp://10.96.0.7:9099' }, nowhere);
    assert.ok(read.ok);
    assert.equal(read.value.port, 9099);
  });

  it('sallyport.yaml in the working directory is the config file', () => {
    const directory = mkdtempSync(join(tmpdir(), 'sallyport-settings-'));
    try {
      const path = join(directory, 'sallyport.yaml');
      writeFileSync(path, '');
      const read = readSettings({}, directory);
      assert.equal(read.ok && read.value.configPath, path);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('whatever the environment holds, it answers and names only known variables', () => {
    const names = ['SALLYPORT_HOST', 'SALLYPORT_PORT', 'SALLYPORT_PUBLIC_URL', 'SALLYPORT_DATA_DIR'];
    const more = ['DATABASE_URL', 'SALLYPORT_ADMIN_KEY', 'SALLYPORT_ROLES', 'SALLYPORT_EGRESS_ALLOW'];
    const environments = fc.dictionary(
      fc.constantFrom(...names, ...more),
      fc.oneof(fc.string({ unit: anyCharacter }), fc.webUrl(), fc.ipV6(), fc.integer().map(String)),
    );
    fc.assert(
      fc.property(environments, (env) => {
        const read = readSettings(env, nowhere);
        if (!read.ok) return read.error.every((mistake) => /^[A-Z_]+: expected /.test(mistake));
        return read.value.port >= 0 && read.value.port <= 65_535 && read.value.dataDir.startsWith('/');
      }),
    );
  });
});

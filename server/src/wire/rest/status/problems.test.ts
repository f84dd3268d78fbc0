import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { type StatusProblem, type StatusSources, statusProblems } from '@sallyport/contracts';
import type { InstallationFacts, Traffic } from './contract.ts';
import {
  hookProblems,
  installationProblems,
  outages,
  refusalProblems,
  sourceProblems,
  weighed,
} from './problems.ts';

const well: InstallationFacts = {
  startedAtMs: 0,
  stopping: false,
  processes: { wanted: 2, serving: 2 },
  database: { kind: 'postgres', survives: '', error: null },
  audit: { durability: 'relaxed', survives: '', writable: true, behindBytes: 0, error: null },
  vault: { rootKeyId: 'kms', besideData: null, retired: 0, seals: true },
  redis: { isWell: true },
  configMistakes: [],
  failingModels: [],
  exporters: [{ signal: 'traces', ok: true, endpoint: 'http://c:4318', error: null, failingSince: null }],
  sources: { count: 0, unhealthyCount: 0 },
};
const ill: InstallationFacts = {
  ...well,
  stopping: true,
  processes: { wanted: 2, serving: 1 },
  database: { kind: 'pglite', survives: '', error: 'it has ended' },
  audit: { ...well.audit, writable: false, error: 'no space left on device' },
  vault: { rootKeyId: 'file', besideData: 'file', retired: 1, seals: false },
  redis: { isWell: false },
  failingModels: [
    { use: 'rerank', model: 'small', error: 'it answered HTTP 500', since: '2026-01-01T00:00:00.000Z' },
  ],
  configMistakes: ['sallyport.yaml:3:1 workers[0]: must be so', 'a second one'],
  exporters: [
    {
      signal: 'traces',
      ok: false,
      endpoint: 'http://c:4318',
      error: 'HTTP 503',
      failingSince: '2026-01-01T00:00:00.000Z',
    },
  ],
};
const unreached: StatusSources = {
  count: 1,
  healthy_count: 0,
  disabled_count: 0,
  unknown_count: 0,
  unhealthy: [
    {
      id: 'files',
      failed_step: 'connected',
      message: 'nothing listens',
      since: '2026-01-01T00:00:00.000Z',
      checked_at: null,
    },
  ],
};
const traffic: Traffic = {
  windowMs: 59_100,
  allowed: 0,
  refused: 0,
  failed: 5,
  byCode: new Map([
    ['sign_in.source_unreachable', 2],
    ['sign_in.answer_invalid', 1],
    ['credentials.provider_unavailable', 2],
    ['policy.not_granted', 9],
  ]),
};

const all = (): StatusProblem[] => [
  ...refusalProblems(traffic),
  ...hookProblems([{ plugin_id: 'plg_1', name: 'dlp', health: 'degraded' }]),
  ...sourceProblems(unreached),
  ...installationProblems({ ...ill, audit: { ...ill.audit, writable: true, behindBytes: 17 } }),
  ...outages(ill, true),
];

describe('problems', () => {
  it('there are none where all is well', () => {
    const quiet: Traffic = { ...traffic, byCode: new Map([['policy.not_granted', 9]]) };
    const problems = [...outages(well, true), ...installationProblems(well), ...refusalProblems(quiet)];
    assert.deepEqual(weighed(problems), { status: 'ok', problems: [] });
  });

  it('every code stands for something that can be wrong, and leads to a page and a heading that are there', () => {
    assert.deepEqual(new Set(all().map(({ code }) => code)), new Set(statusProblems));
    for (const { code, docs, what, advice } of all()) {
      const [file = '', anchor] = docs.split('#');
      const text = readFileSync(new URL(`../../../../../${file}`, import.meta.url), 'utf8');
      const anchors = [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
        heading
          .toLowerCase()
          .replace(/[^a-z0-9 -]/g, '')
          .replaceAll(' ', '-'),
      );
      if (anchor !== undefined) assert.ok(anchors.includes(anchor), `${code}: ${docs}`);
      assert.match(what, /^(?:[a-z0-9]|Redis).*[^.]$/, code);
      assert.match(advice, /^[A-Z].*\.$/, code);
    }
  });

  it('the heaviest comes first, and says how it is altogether', () => {
    const { status, problems } = weighed(all());
    assert.equal(status, 'down');
    const order = problems.map(({ severity }) => severity);
    assert.deepEqual(
      order,
      [...order].sort((a, b) => 'down degraded notice'.indexOf(a) - 'down degraded notice'.indexOf(b)),
    );
    assert.equal(weighed(sourceProblems(unreached)).status, 'degraded');
    const noticed = installationProblems({ ...well, vault: { ...well.vault, besideData: 'database' } });
    assert.deepEqual(
      [weighed(noticed).status, noticed.map(({ code }) => code)],
      ['ok', ['vault.root_key_beside_data']],
    );
  });

  it('who does not administer the installation is told that it is down, and not why', () => {
    const told = outages(ill, false);
    assert.deepEqual(
      told.map(({ code }) => code),
      outages(ill, true).map(({ code }) => code),
    );
    assert.doesNotMatch(JSON.stringify(told), /it has ended|no space left/);
    assert.match(JSON.stringify(outages(ill, true)), /it has ended.*no space left/);
  });

  it('a mistake, a source and an exporter are each a problem of their own, with what was said of them', () => {
    const problems = [...installationProblems(ill), ...sourceProblems(unreached)];
    const of = (wanted: string) => problems.filter(({ code }) => code === wanted);
    assert.match(of('config.mistakes')[0]?.what ?? '', /sallyport\.yaml:3:1 workers\[0\]: must be so/);
    assert.equal(of('config.mistakes').length, 2);
    const [exporter] = of('telemetry.exporter_failing');
    assert.match(exporter?.what ?? '', /traces do not arrive at http:\/\/c:4318: HTTP 503/);
    assert.equal(exporter?.since, '2026-01-01T00:00:00.000Z');
    assert.match(of('source.unhealthy')[0]?.what ?? '', /files .*nothing listens/);
    assert.match(of('source.unhealthy')[0]?.advice ?? '', /listens at this address/);
  });

  it('what others failed at is told with how often, and what was refused rightly is no problem', () => {
    const whats = refusalProblems(traffic).map(({ code, what }) => [code, what]);
    assert.deepEqual(whats, [
      [
        'user_source.failing',
        'an issuer by which people sign in did not answer as it should, 3 times in the last 60 s (sign_in.source_unreachable, sign_in.answer_invalid)',
      ],
      [
        'auth_provider.failing',
        'a provider of users’ accounts did not answer as it should, 2 times in the last 60 s (credentials.provider_unavailable)',
      ],
    ]);
  });
});

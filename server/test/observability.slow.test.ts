import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { noPrometheus, type Prometheus, promtool, startPrometheus } from './prometheus.ts';
import { startApp, startReferenceServer, type TestApp, type TestWorker, toolCall } from './start-app.ts';

const folder = fileURLToPath(new URL('../../deploy/observability/', import.meta.url));
const read = (name: string) => readFileSync(folder + name, 'utf8');
const secret = 's'.repeat(32);

interface Rule {
  readonly alert: string;
  readonly expr: string;
}
interface Panel {
  readonly title: string;
  readonly targets?: readonly { readonly expr: string }[];
}
interface Dashboard {
  readonly panels: readonly Panel[];
  readonly annotations: { readonly list: readonly { readonly expr: string }[] };
  readonly templating: { readonly list: readonly { readonly name: string; readonly query: unknown }[] };
}

const rules = (parse(read('alerts.yml')) as { groups: { rules: Rule[] }[] }).groups.flatMap(
  ({ rules }) => rules,
);
const dashboard = JSON.parse(read('grafana-dashboard.json')) as Dashboard;

/** As Grafana asks: everything chosen. */
const asked = (expr: string) =>
  expr.replaceAll('$__rate_interval', '1m').replaceAll(/\$(instance|project)/g, '.*');
const expressions: readonly (readonly [string, string])[] = [
  ...rules.map(({ alert, expr }) => [alert, expr] as const),
  ...dashboard.panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }) => [`the panel "${title}"`, asked(expr)] as const),
  ),
  ...dashboard.annotations.list.map(({ expr }) => ['an annotation', asked(expr)] as const),
];

/** Each documented metric, with its labels. */
const documented = new Map(
  [
    ...readFileSync(`${folder}../../docs/metrics.md`, 'utf8').matchAll(/^\| `(\w+)` \| (\w+) \|([^|]*)\|/gm),
  ].map(([, name = '', type = '', labels = '']) => [
    name,
    { type, labels: [...labels.matchAll(/`(\w+)`/g)].map(([, label = '']) => label) },
  ]),
);

/** What Prometheus, or our own rules, know besides what is scraped. */
const known = new Set(['up', 'ALERTS']);

function metricsIn(expr: string): { readonly name: string; readonly series: string }[] {
  const found = [...expr.matchAll(/\b(?:sallyport|process|nodejs)_\w+|\bup\b/g)].map(([series]) => series);
  return found.map((series) => {
    const base = series.replace(/_(?:bucket|count|sum)$/, '');
    return { name: documented.get(base)?.type === 'histogram' ? base : series, series };
  });
}

function labelsIn(expr: string): string[] {
  const grouped = [...expr.matchAll(/\b(?:by|on|without)\s*\(([^)]*)\)/g)].flatMap(([, list = '']) =>
    list.split(','),
  );
  const matched = [...expr.matchAll(/(\w+)\s*(?:=~|!~|!=|=)\s*"/g)].map(([, label = '']) => label);
  return [...grouped, ...matched].map((label) => label.trim());
}

describe('deploy/observability', () => {
  it('asks for nothing but what is documented, by labels that it has', () => {
    assert.ok(documented.size > 30 && rules.length > 20 && expressions.length > rules.length + 30);
    for (const [where, expr] of expressions) {
      const metrics = metricsIn(expr);
      assert.ok(metrics.length > 0, `${where}: ${expr}`);
      const labels = new Set(['job', 'instance', 'le']);
      for (const { name, series } of metrics) {
        const one = documented.get(name);
        assert.ok(one !== undefined || known.has(name), `${where}: docs/metrics.md has no ${series}`);
        for (const label of one?.labels ?? []) labels.add(label);
      }
      for (const label of labelsIn(expr)) assert.ok(labels.has(label), `${where}: ${label} in ${expr}`);
    }
  });

  it('the dashboard has an id for each panel, and none lies over another', () => {
    const panels = dashboard.panels as readonly (Panel & {
      id: number;
      gridPos: { x: number; y: number; w: number; h: number };
    })[];
    assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
    const taken = new Set<string>();
    for (const {
      title,
      gridPos: { x, y, w, h },
    } of panels) {
      assert.ok(x + w <= 24, title);
      for (let column = x; column < x + w; column++)
        for (let line = y; line < y + h; line++) {
          assert.ok(!taken.has(`${column} ${line}`), title);
          taken.add(`${column} ${line}`);
        }
    }
  });

  it('the collector is made of parts that are there, and each is used', () => {
    type Parts = Readonly<Record<string, object>>;
    const { service, ...parts } = parse(read('otel-collector.yaml')) as {
      receivers: Parts;
      processors: Parts;
      exporters: Parts;
      service: { pipelines: Readonly<Record<string, Readonly<Record<keyof typeof parts, string[]>>>> };
    };
    const pipelines = Object.values(service.pipelines);
    assert.deepEqual(Object.keys(service.pipelines).sort(), ['logs', 'metrics', 'traces']);
    for (const kind of ['receivers', 'processors', 'exporters'] as const)
      for (const name of pipelines.flatMap((pipeline) => pipeline[kind]))
        assert.ok(parts[kind][name] !== undefined, `${kind}: ${name}`);
    // The other way to Prometheus is there to be chosen.
    assert.ok(parts.exporters.prometheusremotewrite !== undefined);
  });
});

describe('with Prometheus', { skip: noPrometheus }, () => {
  let worker: TestWorker;
  let app: TestApp;
  let prometheus: Prometheus;
  let scraped: string;

  before(async () => {
    worker = await startReferenceServer(secret);
    app = await startApp(`workers:
  - { id: reference, http: { uri: "${worker.uri}", secret: "${secret}" } }
  - { id: gone, http: { uri: "http://127.0.0.1:1", secret: "${secret}" } }
gateways: [{ slug: g }]
`);
    await app.api('GET', '/v1/workers/reference/health');
    await app.api('GET', '/v1/workers/gone/health');
    for (const name of ['ArcadeEvalRef_Whoami', 'ArcadeEvalRef_Whoami', 'No_Such'])
      await (await app.rpc('g', toolCall(name))).text();
    await (await app.rpc('g', toolCall('x'), { authorization: 'Bearer sp_wrong' })).text();
    scraped = await (await fetch(`${app.url}/metrics`)).text();
    const config = read('prometheus.yml')
      .replace('127.0.0.1:9099', new URL(app.url).host)
      .replaceAll('15s', '1s')
      .replace('- alerts.yml', `- ${folder}alerts.yml`);
    prometheus = await startPrometheus(config);
    // Two scrapes at least, so that rates can be told.
    const query = `count_over_time(sallyport_build_info[1m]) > 2`;
    for (;;) {
      const { result } = await prometheus.ask<{ result: unknown[] }>('query', { query });
      if (result.length > 0) break;
    }
  });
  after(async () => {
    await prometheus?.close();
    await app?.close();
    await worker?.stop();
  });

  it('promtool is content with the metrics, the configuration and the rules, and every rule passes its tests', () => {
    const metrics = promtool(['check', 'metrics'], { input: scraped });
    assert.ok(metrics.ok, metrics.said);
    for (const args of [
      ['check', 'config', 'prometheus.yml'],
      ['check', 'rules', '--lint=all', '--lint-fatal', 'alerts.yml'],
      ['test', 'rules', 'alerts.test.yml'],
    ]) {
      const { ok, said } = promtool(args, { cwd: folder });
      assert.ok(ok, `promtool ${args.join(' ')}: ${said}`);
    }
    const tests = read('alerts.test.yml');
    for (const { alert } of rules) assert.ok(tests.includes(`"${alert}"`), `nothing tests ${alert}`);
  });

  it('scrapes it, and evaluates every rule', async () => {
    type Groups = { groups: { rules: { name: string; health: string; lastError?: string }[] }[] };
    for (;;) {
      const { groups } = await prometheus.ask<Groups>('rules');
      const all = groups.flatMap(({ rules }) => rules);
      assert.deepEqual(
        all.filter(({ health }) => health !== 'ok' && health !== 'unknown'),
        [],
      );
      if (!all.every(({ health }) => health === 'ok')) continue;
      assert.equal(all.length, rules.length);
      break;
    }
  });

  it('answers every expression of the rules and of the dashboard', async () => {
    const answers = new Map<string, number>();
    for (const [where, query] of expressions) {
      const { result } = await prometheus.ask<{ result: unknown[] }>('query', { query });
      answers.set(where, (answers.get(where) ?? 0) + result.length);
    }
    // What a quiet server with no users, hooks, Redis or collector has nothing to say of.
    const silent = [
      'Tokens renewed, by outcome',
      'Hooks, p99',
      'Collectors',
      'Exports, and what was dropped',
      'Answers of sources, p99',
      'Failures of sources, by code',
    ];
    for (const { title, targets = [] } of dashboard.panels) {
      if (targets.length === 0 || silent.includes(title)) continue;
      assert.ok((answers.get(`the panel "${title}"`) ?? 0) > 0, `the panel "${title}" shows nothing`);
    }
    // One source is down, and nothing else is wrong, but for what a busy machine alone may bring about.
    const busy = /Down$|Lags$|Slow$|Latency$/;
    const wrong = rules.filter(({ alert }) => (answers.get(alert) ?? 0) > 0).map(({ alert }) => alert);
    assert.ok(wrong.includes('SallyportSourceDown'));
    assert.deepEqual(
      wrong.filter((alert) => !busy.test(alert)),
      [],
    );
  });

  it('has every value that the dashboard lets people choose by', async () => {
    for (const { name, query } of dashboard.templating.list) {
      if (name === 'datasource') continue;
      const [, series = '', label = ''] =
        /^label_values\((.+), (\w+)\)$/.exec((query as { query: string }).query) ?? [];
      const found = await prometheus.ask<string[]>(`label/${label}/values`, { 'match[]': series });
      assert.ok(found.length > 0, name);
    }
  });
});

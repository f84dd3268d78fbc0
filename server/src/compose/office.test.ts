import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manualClock } from '#foundation';
import { silentLog } from '#telemetry';
import { createProcesses } from './office.ts';

test('however many scrape at once, each process is asked for its metrics once, and each later one hears what is then', async () => {
  const processes = createProcesses({
    ...{ lanes: 1, dataDir: '', env: {}, version: '1', clock: manualClock(), log: silentLog },
    onLaneSaid() {},
  });
  let asked = 0;
  let reading = Promise.withResolvers<void>();
  const read = async () => {
    const value = ++asked;
    await reading.promise;
    const told = { name: 'asked', help: '', type: 'counter', together: 'sum', labels: [] } as const;
    return [{ ...told, series: [{ values: [], value }] }];
  };
  const scrapes = Array.from({ length: 10 }, () => processes.metrics(read));
  reading.resolve();
  for (const metrics of await Promise.all(scrapes)) assert.equal(metrics[0]?.series[0]?.value, 1);
  reading = Promise.withResolvers();
  const failing = processes.metrics(read);
  reading.reject(new Error('away'));
  await assert.rejects(failing, /away/);
  reading = Promise.withResolvers();
  reading.resolve();
  assert.equal((await processes.metrics(read))[0]?.series[0]?.value, 3);
});

import { systemClock } from '#foundation';
import { openDatabase } from '#storage';
import { silentLog } from '#telemetry';
import { createAudit } from './audit.ts';

/**
 * For audit.test.ts: records as fast as it can, and says the execution id of each record after `record` has
 * returned, until it is killed.
 */
const [dir = '', run = ''] = process.argv.slice(2);
const db = await openDatabase({ dataDir: dir }, { log: silentLog });
const audit = await createAudit({ dir, db, clock: systemClock, log: silentLog, durability: 'relaxed' });
const burst = () => {
  for (let count = 0; count < 10; count++) {
    const executionId = `te_${run}_${next++}`;
    audit.record({ kind: 'tool_call', decision: 'allowed', projectId: 'p', executionId });
    process.stdout.write(`${executionId}\n`);
  }
  setImmediate(burst);
};
let next = 0;
burst();

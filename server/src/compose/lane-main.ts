import { setFlagsFromString } from 'node:v8';
import { readSettings } from '#config';
import { messageOf } from '#foundation';
import { openLaneLink } from '#processes';
import { openProcessLog } from '#telemetry';
import { runLane } from './lane.ts';
import type { LaneStart } from './office.ts';

/** The program that a lane is. The office forks it, with its own environment, and ends it. */

// Of what calls leave behind, next to nothing is alive: dividing a collection among threads costs more than the collection.
setFlagsFromString('--no-parallel-scavenge');

const link = await openLaneLink();
const start = link.start as LaneStart;
const settings = readSettings(start.env);
if (!settings.ok) throw new Error('the environment was in order when the office read it');
const { logLevel: level } = settings.value;
// The office reads it, and makes of it what is wanted.
const output = await openProcessLog({ level, format: 'json', fd: process.stdout.fd });
const log = output.log.child({ process: start.name });
process.on('uncaughtExceptionMonitor', (error) =>
  log.error({ err: error }, 'a mistake of our own ends a lane'),
);
process.on('exit', output.flushNow);

try {
  await runLane(link, start, { settings: settings.value, env: start.env, log });
  await output.flush();
  process.exit(0);
} catch (error) {
  log.error({ error: messageOf(error) }, 'a lane could not go on');
  await output.flush();
  process.exit(1);
}

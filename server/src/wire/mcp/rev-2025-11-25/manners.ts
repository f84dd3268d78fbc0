import type { CallManners } from '../methods.ts';
import type { LegacyVersion } from './versions.ts';

const older: CallManners = {
  badArguments: 'error',
  relayedCode: (code) => code,
  resourceUnknown: -32002,
  unheard: new Set(['notifications/elicitation/complete', 'notifications/tasks/status']),
  tasks: 'none',
};
/** Since 2025-11-25 the model is told of wrong arguments, so that it can mend them (SEP-1303). */
const newest: CallManners = { ...older, badArguments: 'result', unheard: new Set(), tasks: 'asked_for' };

export function mannersOf(version: LegacyVersion): CallManners {
  return version === '2025-11-25' ? newest : older;
}

import type { InstrumentationScope } from '@opentelemetry/core';
import type { Resource } from '@opentelemetry/resources';

/** Of whom, and of which program, everything that is sent is. */
export interface About {
  readonly resource: Resource;
  readonly scope: InstrumentationScope;
}

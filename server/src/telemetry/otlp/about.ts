import type { Resource } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';

/** Of whom, and of which program, everything that is sent is. */
export interface About {
  readonly resource: Resource;
  readonly scope: ReadableSpan['instrumentationScope'];
}

import type { Conventions } from '../spec/conventions.ts';
import type { ServerSpec } from '../spec/server-spec.ts';
import { namesOf, portName } from './names.ts';

/**
 * How Kubernetes asks whether the server lives. A start may take a minute; a hanging process is restarted after one, and
 * gets no calls after half of it.
 */
export function probesOf(spec: ServerSpec, conventions: Conventions) {
  const { path, port, initialDelaySeconds, periodSeconds } = healthOf(spec, conventions);
  const at = port === undefined || port === namesOf(spec, conventions).port ? portName : port;
  const handler = path === 'tcp' ? { tcpSocket: { port: at } } : { httpGet: { path, port: at } };
  return {
    startupProbe: {
      ...handler,
      ...(initialDelaySeconds !== undefined && { initialDelaySeconds }),
      periodSeconds: 2,
      timeoutSeconds: 2,
      failureThreshold: 30,
    },
    readinessProbe: {
      ...handler,
      periodSeconds: periodSeconds ?? 10,
      timeoutSeconds: 3,
      failureThreshold: 3,
    },
    livenessProbe: { ...handler, periodSeconds: periodSeconds ?? 20, timeoutSeconds: 5, failureThreshold: 3 },
  };
}

interface Health {
  /** `tcp`, or where a GET is answered with 200. */
  readonly path: string;
  readonly port?: number | undefined;
  readonly initialDelaySeconds?: number | undefined;
  readonly periodSeconds?: number | undefined;
}

function healthOf({ health, pattern }: ServerSpec, conventions: Conventions): Health {
  const usual = conventions.patterns[pattern].health;
  if (health === undefined || typeof health === 'string') return { path: health ?? usual };
  return { ...health, path: health.path ?? usual };
}

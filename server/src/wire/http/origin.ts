import { type Refusal, refusal } from '#domain';

/** What a browser may be told to send us, and what it may not: guards against DNS rebinding and cross-site requests. */
export interface OriginPolicy {
  /** `null` when the request may go on. */
  check(host: string | undefined, origin: string | undefined): Refusal | null;
}

const loopbackNames = new Set(['localhost', '127.0.0.1', '[::1]']);

/**
 * A server bound to loopback answers only to loopback names (and its public name), so that a web page whose name was
 * re-bound to 127.0.0.1 gets nothing. A request with an `Origin` must come from a page of this very host, or of loopback
 * when we are on loopback. Clients that are not browsers send no `Origin`.
 */
export function createOriginPolicy(options: { bindHost: string; publicUrl: string | null }): OriginPolicy {
  const onLoopback = loopbackNames.has(options.bindHost) || options.bindHost === '::1';
  const publicUrl = options.publicUrl === null ? null : new URL(options.publicUrl);
  return {
    check(host, origin) {
      const name = nameOf(host);
      if (onLoopback && !loopbackNames.has(name) && name !== publicUrl?.hostname) {
        return refusal(
          'request.host_refused',
          `this server does not answer for the host ${JSON.stringify(host ?? '')}`,
          {
            field: 'Host',
          },
        );
      }
      if (origin === undefined || isOwn(origin, name)) return null;
      return refusal(
        'request.origin_refused',
        `requests from pages of ${JSON.stringify(origin)} are not accepted`,
        {
          field: 'Origin',
        },
      );
    },
  };

  function isOwn(origin: string, hostName: string): boolean {
    if (!URL.canParse(origin)) return false;
    const { hostname } = new URL(origin);
    return (
      (onLoopback && loopbackNames.has(hostname)) ||
      origin === publicUrl?.origin ||
      (!onLoopback && hostname === hostName)
    );
  }
}

/** The name in a `Host` header, without its port. */
function nameOf(host: string | undefined): string {
  if (host === undefined) return '';
  const end = host.startsWith('[') ? host.indexOf(']') + 1 : host.indexOf(':');
  return (end > 0 ? host.slice(0, end) : host).toLowerCase();
}

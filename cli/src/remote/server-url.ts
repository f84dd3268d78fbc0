import { CommandError } from '../command-error.ts';
import { shownUrl } from '../output/shown-url.ts';

/** `localhost:9099`, `tools.example.com`. */
const bareHost = /^[a-z0-9.-]+(:\d+)?$/i;

/**
 * The address of a Sallyport as it is kept, without a slash at its end. A credential goes there, so it must be https unless
 * it is this very computer, or whoever runs the command says that the way there is safe.
 */
export function serverUrl(given: string, insecureHttp: boolean): string {
  const url = URL.parse(given);
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') {
    throw new CommandError(
      'remote.url_invalid',
      `"${shownUrl(given)}" is no address of a Sallyport: it must be https://host, without user name and password`,
      bareHost.test(given) ? [`With its scheme: https://${given}, or http://${given} on this computer.`] : [],
    );
  }
  if (url.search !== '' || url.hash !== '') {
    throw new CommandError('remote.url_invalid', `"${shownUrl(given)}" must be without ? and #`);
  }
  const [, before] = /^(.*?)\/(mcp\/[^/]+|v1)\/?$/.exec(url.href) ?? [];
  if (before !== undefined) {
    throw new CommandError(
      'remote.url_invalid',
      `${url.href} is one of its addresses; the server is ${before}`,
    );
  }
  if (url.protocol === 'http:' && !insecureHttp && !isLoopback(url.hostname)) {
    throw new CommandError(
      'remote.insecure_http',
      `${url.origin} would be sent a credential that anybody on the way can read`,
      ['Use its https address; --insecure-http says that the way there is safe, as inside a cluster.'],
    );
  }
  return url.href.replace(/\/$/, '');
}

function isLoopback(hostname: string): boolean {
  return (
    hostname === 'localhost' ||
    hostname === '[::1]' ||
    hostname.endsWith('.localhost') ||
    /^127(\.\d{1,3}){3}$/.test(hostname)
  );
}

/** Two names of this computer with the same port are the same server. */
export function isSameServer(one: string, other: string): boolean {
  const [a, b] = [new URL(one), new URL(other)];
  if (a.origin === b.origin) return true;
  const bothHere = isLoopback(a.hostname) && isLoopback(b.hostname);
  return bothHere && a.protocol === b.protocol && a.port === b.port;
}

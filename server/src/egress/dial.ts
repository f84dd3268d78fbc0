import { connect as connectTcp } from 'node:net';
import { connect as connectTls, type SecureContext } from 'node:tls';
import type { Result } from '#foundation';
import { err, ok } from '#foundation';
import type { Admit } from './admission.ts';
import { tlsReasonOf } from './certificates.ts';
import type { EgressFailure, Trust } from './contract.ts';
import type { Destination } from './destination.ts';
import type { Line } from './http1/connection.ts';
import { Intake } from './http1/loans.ts';

const READ_BYTES = 64 * 1024;

/** Calls `ring` once after a while, unless the returned function is called before. */
export type Alarm = (afterMs: number, ring: () => void) => () => void;

export interface Dialled extends Line {
  readonly address: string;
}

export interface DialOptions {
  readonly destination: Destination;
  readonly trust: Trust;
  readonly admit: Admit;
  /** `null`: the system's authorities, and no certificate of ours. */
  readonly certificates: SecureContext | null;
  readonly connectTimeoutMs: number;
  readonly alarm: Alarm;
  nowMs(): number;
}

/**
 * A new connection. The addresses that were checked are the very ones connected to, in their order, so that a
 * changed answer of the DNS counts for the next connection and never between check and use.
 */
export async function dial(options: DialOptions): Promise<Result<Dialled, EgressFailure>> {
  const endMs = options.nowMs() + options.connectTimeoutMs;
  const admitted = await admitInTime(options);
  if (!admitted.ok) return admitted;
  let last: Result<Dialled, EgressFailure> = tooLate(options);
  let left = admitted.value.length;
  for (const address of admitted.value) {
    const remainingMs = endMs - options.nowMs();
    if (remainingMs <= 0) break;
    last = await connectTo(address, options, remainingMs / left);
    if (last.ok || last.error.kind === 'tls') return last;
    left--;
  }
  return last;
}

function tooLate({ destination, connectTimeoutMs }: DialOptions): Result<never, EgressFailure> {
  const message = `${destination.origin} could not be connected to within ${connectTimeoutMs} ms`;
  return err({ kind: 'timeout', message, sent: false });
}

function admitInTime(options: DialOptions): ReturnType<Admit> {
  const { promise, resolve, reject } = Promise.withResolvers<Awaited<ReturnType<Admit>>>();
  const cancel = options.alarm(options.connectTimeoutMs, () => resolve(tooLate(options)));
  options.admit(options.destination, options.trust).then(resolve, reject);
  return promise.finally(cancel);
}

function connectTo(
  address: string,
  options: DialOptions,
  limitMs: number,
): Promise<Result<Dialled, EgressFailure>> {
  const { destination } = options;
  const { promise, resolve } = Promise.withResolvers<Result<Dialled, EgressFailure>>();
  const line = openLine(options, address);
  const { socket } = line;
  let isReached = false;
  // An error between two owners must not end the process.
  socket.on('error', () => {});
  const fail = (failure: Result<never, EgressFailure>) => {
    socket.destroy();
    resolve(failure);
  };
  const cancel = options.alarm(limitMs, () => fail(tooLate(options)));
  const onFailed = (error?: unknown) => {
    const reason = error === undefined ? 'the connection was closed' : tlsReasonOf(error);
    fail(isReached ? tlsFailure(destination, reason) : unreachable(destination, reason));
  };
  socket.on('error', onFailed);
  socket.once('close', onFailed);
  socket.once('connect', () => {
    isReached = true;
  });
  socket.once(destination.scheme === 'https:' ? 'secureConnect' : 'connect', () => {
    socket.removeListener('error', onFailed);
    socket.removeListener('close', onFailed);
    resolve(ok({ ...line, address }));
  });
  return promise.finally(cancel);
}

/** Bytes that come before anybody takes them answer nothing, so they end the connection. */
function openLine({ destination, certificates }: DialOptions, address: string): Line {
  const options = {
    host: address,
    port: destination.port,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: 60_000,
  };
  if (destination.scheme === 'https:') {
    const servername = destination.literal === null ? { servername: destination.hostname } : {};
    const alpn = { ALPNProtocols: ['http/1.1'], rejectUnauthorized: true };
    const secureContext = certificates === null ? {} : { secureContext: certificates };
    return { socket: connectTls({ ...options, ...servername, ...alpn, ...secureContext }), intake: null };
  }
  const intake = new Intake(READ_BYTES, () => socket.destroy());
  const callback = (length: number) => {
    intake.receive(intake.page.buffer.subarray(0, length));
    return true;
  };
  const socket = connectTcp({ ...options, onread: { buffer: intake.next, callback } });
  return { socket, intake };
}

function unreachable(destination: Destination, reason: string): Result<never, EgressFailure> {
  const message = `${destination.origin} could not be reached (${reason}): check that it runs and that host and port are right`;
  return err({ kind: 'unreachable', message, sent: false });
}

function tlsFailure(destination: Destination, reason: string): Result<never, EgressFailure> {
  const message = `no secure connection to ${destination.origin} (${reason}): check its certificate; authorities of your own are named in NODE_EXTRA_CA_CERTS`;
  return err({ kind: 'tls', message, sent: false });
}

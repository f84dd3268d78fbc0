import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { type Clock, systemClock } from '#foundation';
import { Connection, maxQuietRounds, type Sharing } from './connection.ts';

/** Answers plain POSTs to gateways on the connections that it is given, and hands over every connection that brings anything else. */
export interface FastFront {
  /** A connection that nobody has read from. */
  take(socket: Socket): void;
  /** Closes what is idle, and all else with the answer that is under way there. */
  stop(): void;
  /** Closes everything. */
  cut(): void;
}

export type FastFrontDeps = Pick<Sharing, 'accepts' | 'serve' | 'handOver'> & {
  /** How long a connection may be idle, at least. */
  readonly keepAliveMs: number;
  readonly clock?: Clock;
};

export function createFastFront({ keepAliveMs, clock = systemClock, ...deps }: FastFrontDeps): FastFront {
  const connections = new Set<Connection>();
  let isStopping = false;
  const dateLine = createDateLine(clock);
  const keepAlive = `Connection: keep-alive\r\nKeep-Alive: timeout=${Math.floor(keepAliveMs / 1000)}\r\n`;
  const sharing: Sharing = {
    ...deps,
    isStopping: () => isStopping,
    closingLines(isLast) {
      if (isLast === null) return dateLine();
      return dateLine() + (isLast ? 'Connection: close\r\n' : keepAlive);
    },
  };
  const stopRounds = clock.every(keepAliveMs / maxQuietRounds, () => {
    for (const connection of connections) connection.closeIfQuiet();
  });
  const over = (connection: Connection) => connections.delete(connection);
  return {
    take(socket) {
      connections.add(new Connection(socket, sharing, over));
    },
    stop() {
      isStopping = true;
      stopRounds();
      for (const connection of connections) connection.closeIfIdle();
    },
    cut() {
      for (const { socket } of connections) socket.destroy();
    },
  };
}

/**
 * Has node:http go on where a front hands over. Its server is told of each connection by an event, which others may emit;
 * here it hears of none but these.
 */
export function behind(server: Server): (socket: Socket, bytes: Buffer) => void {
  const [take] = server.listeners('connection') as ((this: Server, socket: Socket) => void)[];
  if (take === undefined) throw new Error('node:http does not listen for connections');
  server.removeAllListeners('connection');
  return (socket, bytes) => {
    socket.unshift(bytes);
    take.call(server, socket);
    socket.resume();
  };
}

/** The date of a head, made anew with each second. */
function createDateLine(clock: Clock): () => string {
  let second = -1;
  let line = '';
  return () => {
    const now = Math.floor(clock.now() / 1000);
    if (now !== second) {
      second = now;
      line = `Date: ${new Date(now * 1000).toUTCString()}\r\n`;
    }
    return line;
  };
}

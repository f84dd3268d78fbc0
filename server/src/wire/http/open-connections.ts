import type { Socket } from './fast/connection.ts';

/**
 * Connections that are served here. A server of node:net counts those that it accepted, and not even these any more once it gave
 * some to other processes.
 */
export function createOpenConnections() {
  const open = new Set<Socket>();
  let whenNone: (() => void) | null = null;
  return {
    add(socket: Socket): void {
      if (socket.destroyed) return;
      open.add(socket);
      socket.once('close', () => {
        open.delete(socket);
        if (open.size === 0) whenNone?.();
      });
    },
    /** Done when all are closed. */
    async none(): Promise<void> {
      while (open.size > 0) {
        const closed = Promise.withResolvers<void>();
        whenNone = closed.resolve;
        await closed.promise;
      }
    },
  };
}

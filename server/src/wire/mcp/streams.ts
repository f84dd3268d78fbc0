import type { ServerResponse } from 'node:http';
import type { Clock } from '#foundation';

const keepAliveMs = 15_000;

/** Open streams of clients who want to hear when a gateway's list changes. */
export function createStreams(clock: Clock) {
  const bySlug = new Map<string | null, Set<OpenStream>>();

  interface OpenStream {
    readonly response: ServerResponse;
    /** The message to send, as JSON text. */
    readonly changed: string;
    /** What to say at the end, where the protocol wants a word. */
    readonly goodbye: string | null;
  }

  const stopKeepAlive = clock.every(keepAliveMs, () => {
    for (const streams of bySlug.values())
      for (const { response } of streams) response.write(': keep-alive\n\n');
  });

  return {
    /** Holds a stream, whose head is written, until its client goes away; under `null` it only stays open. */
    hold(slug: string | null, stream: OpenStream): void {
      const streams = bySlug.get(slug) ?? new Set();
      bySlug.set(slug, streams);
      streams.add(stream);
      stream.response.once('close', () => {
        streams.delete(stream);
        if (streams.size === 0 && bySlug.get(slug) === streams) bySlug.delete(slug);
      });
    },
    /** Tells everyone who listens to this gateway that its tools changed. */
    toolsChanged(slug: string): void {
      for (const { response, changed } of bySlug.get(slug) ?? [])
        response.write(`event: message\ndata: ${changed}\n\n`);
    },
    close(): void {
      stopKeepAlive();
      for (const streams of bySlug.values()) {
        for (const { response, goodbye } of streams) {
          if (goodbye !== null) response.write(`event: message\ndata: ${goodbye}\n\n`);
          response.end();
        }
      }
    },
  };
}

export type Streams = ReturnType<typeof createStreams>;

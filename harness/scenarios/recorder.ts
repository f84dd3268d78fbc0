/** One HTTP answer, as it came over the wire. */
export interface Exchange {
  readonly method: string;
  readonly status: number;
  readonly headers: Headers;
  /** What has come of the body so far. */
  body(): string;
  /** Whether all of it has come. */
  ended(): boolean;
}

export interface Recorder {
  /** In place of `fetch`: keeps every byte that comes in. */
  readonly fetch: (url: string | URL, init?: RequestInit) => Promise<Response>;
  readonly exchanges: readonly Exchange[];
  /** Whether the text is anywhere in what came: heads and bodies, JSON escapes and those in JSON in JSON undone. */
  holds(text: string): boolean;
  bytes(): number;
}

export function createRecorder(): Recorder {
  const exchanges: Exchange[] = [];
  let bytes = 0;
  return {
    exchanges,
    async fetch(url, init) {
      const answer = await fetch(url, init);
      const chunks: Uint8Array[] = [];
      let ended = answer.body === null;
      exchanges.push({
        method: init?.method ?? 'GET',
        status: answer.status,
        headers: answer.headers,
        body: () => Buffer.concat(chunks).toString('utf8'),
        ended: () => ended,
      });
      if (answer.body === null) return answer;
      const kept = new TransformStream<Uint8Array, Uint8Array>({
        transform(chunk, controller) {
          chunks.push(chunk);
          bytes += chunk.length;
          controller.enqueue(chunk);
        },
      });
      const end = () => {
        ended = true;
      };
      answer.body.pipeTo(kept.writable).then(end, end);
      const { status, statusText, headers } = answer;
      return new Response(kept.readable, { status, statusText, headers });
    },
    holds(text) {
      return exchanges.some((exchange) => {
        const head = [...exchange.headers].map(([name, value]) => `${name}: ${value}`).join('\n');
        const whole = `${head}\n${exchange.body()}`;
        return whole.includes(text) || unescaped(whole).includes(text);
      });
    },
    bytes: () => bytes,
  };
}

function unescaped(text: string): string {
  return text
    .replace(/\\+u([0-9a-f]{4})/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
    .replace(/\\+(["/\\])/g, '$1');
}

import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

/** The server's end of a WebSocket, for binary messages. */
export interface WebSocketEnd {
  send(data: Buffer): void;
  close(): void;
}

const guid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** Accepts the upgrade with one of the protocols that were offered. */
export function acceptWebSocket(
  request: IncomingMessage,
  socket: Duplex,
  protocol: string,
  on: { message(data: Buffer): void; end(): void },
): WebSocketEnd {
  const accept = createHash('sha1').update(`${request.headers['sec-websocket-key']}${guid}`).digest('base64');
  socket.write(
    [
      'HTTP/1.1 101 Switching Protocols',
      'Upgrade: websocket',
      'Connection: Upgrade',
      `Sec-WebSocket-Accept: ${accept}`,
      `Sec-WebSocket-Protocol: ${protocol}`,
      '\r\n',
    ].join('\r\n'),
  );
  let pending: Buffer = Buffer.alloc(0);
  let parts: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk]);
    for (let frame = readFrame(pending); frame !== null; frame = readFrame(pending)) {
      pending = pending.subarray(frame.size);
      if (frame.opcode === 8) socket.end(frameOf(8, Buffer.alloc(0)));
      else if (frame.opcode === 9) socket.write(frameOf(10, frame.payload));
      else if (frame.opcode <= 2) {
        parts.push(frame.payload);
        if (frame.isLast) {
          on.message(Buffer.concat(parts));
          parts = [];
        }
      }
    }
  });
  socket.once('close', () => on.end());
  socket.on('error', () => socket.destroy());
  return {
    send: (data) => void socket.write(frameOf(2, data)),
    close: () => void socket.end(frameOf(8, Buffer.alloc(0))),
  };
}

function readFrame(
  buffer: Buffer,
): { opcode: number; isLast: boolean; payload: Buffer; size: number } | null {
  if (buffer.length < 2) return null;
  const [first, second] = buffer as unknown as [number, number];
  let length = second & 0x7f;
  let at = 2;
  if (length === 126) {
    if (buffer.length < 4) return null;
    length = buffer.readUInt16BE(2);
    at = 4;
  } else if (length === 127) {
    if (buffer.length < 10) return null;
    length = Number(buffer.readBigUInt64BE(2));
    at = 10;
  }
  const isMasked = (second & 0x80) !== 0;
  const size = at + (isMasked ? 4 : 0) + length;
  if (buffer.length < size) return null;
  const mask = isMasked ? buffer.subarray(at, at + 4) : null;
  const payload = Buffer.from(buffer.subarray(size - length, size));
  if (mask !== null) {
    for (let i = 0; i < payload.length; i += 1) payload[i] = (payload[i] as number) ^ (mask[i % 4] as number);
  }
  return { opcode: first & 0x0f, isLast: (first & 0x80) !== 0, payload, size };
}

function frameOf(opcode: number, payload: Buffer): Buffer {
  const { length } = payload;
  if (length < 126) return Buffer.concat([Buffer.from([0x80 | opcode, length]), payload]);
  const head = Buffer.alloc(length < 65_536 ? 4 : 10);
  head[0] = 0x80 | opcode;
  head[1] = length < 65_536 ? 126 : 127;
  if (length < 65_536) head.writeUInt16BE(length, 2);
  else head.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([head, payload]);
}

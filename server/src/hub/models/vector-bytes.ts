const headerBytes = 4;

/** A quarter of the size; what is compared with it afterwards is rounded to as much in any case. */
export function packVector(vector: Float32Array): Buffer {
  let largest = 0;
  for (const number of vector) largest = Math.max(largest, Math.abs(number));
  const scale = largest / 127;
  const bytes = Buffer.alloc(headerBytes + vector.length);
  bytes.writeFloatLE(scale);
  for (let at = 0; at < vector.length; at++)
    bytes.writeInt8(Math.round((vector[at] as number) / scale), headerBytes + at);
  return bytes;
}

/** Normalised; `null` for what is no such vector. */
export function unpackVector(bytes: Buffer): Float32Array | null {
  if (bytes.length <= headerBytes) return null;
  const scale = bytes.readFloatLE();
  const vector = new Float32Array(bytes.length - headerBytes);
  let sum = 0;
  for (let at = 0; at < vector.length; at++) {
    const number = bytes.readInt8(headerBytes + at) * scale;
    vector[at] = number;
    sum += number * number;
  }
  const length = Math.sqrt(sum);
  if (!(length > 0 && Number.isFinite(length))) return null;
  return vector.map((number) => number / length);
}

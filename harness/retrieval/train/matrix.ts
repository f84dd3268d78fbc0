/** Rows one after another. Tests use doubles, so that differences can be told from rounding. */
export type Numbers = Float32Array | Float64Array;

/** `c += a · b`, where `a` has n × k numbers, `b` k × m and `c` n × m. Four rows of `b` at a time: each number of `c` is touched less. */
export function multiplyAdd(c: Numbers, a: Numbers, b: Numbers, n: number, k: number, m: number): void {
  for (let row = 0; row < n; row++) {
    const to = row * m;
    const from = row * k;
    let inner = 0;
    for (; inner + 3 < k; inner += 4) {
      const a0 = a[from + inner] as number;
      const a1 = a[from + inner + 1] as number;
      const a2 = a[from + inner + 2] as number;
      const a3 = a[from + inner + 3] as number;
      const b0 = inner * m;
      const [b1, b2, b3] = [b0 + m, b0 + 2 * m, b0 + 3 * m];
      for (let column = 0; column < m; column++) {
        c[to + column] =
          (c[to + column] as number) +
          a0 * (b[b0 + column] as number) +
          a1 * (b[b1 + column] as number) +
          a2 * (b[b2 + column] as number) +
          a3 * (b[b3 + column] as number);
      }
    }
    for (; inner < k; inner++) {
      const factor = a[from + inner] as number;
      for (let column = 0; column < m; column++)
        c[to + column] = (c[to + column] as number) + factor * (b[inner * m + column] as number);
    }
  }
}

/** Of a matrix with n rows of m numbers. */
export function transposed(matrix: Numbers, n: number, m: number): Numbers {
  const turned = emptyLike(matrix, matrix.length);
  for (let row = 0; row < n; row++)
    for (let column = 0; column < m; column++) turned[column * n + row] = matrix[row * m + column] as number;
  return turned;
}

export function emptyLike(model: Numbers, length: number): Numbers {
  return model instanceof Float32Array ? new Float32Array(length) : new Float64Array(length);
}

/** Adds a row times a factor to another. */
export function addRow(
  to: Numbers,
  toAt: number,
  from: Numbers,
  fromAt: number,
  length: number,
  factor = 1,
): void {
  for (let at = 0; at < length; at++)
    to[toAt + at] = (to[toAt + at] as number) + factor * (from[fromAt + at] as number);
}

export function normOf(row: Numbers, at: number, length: number): number {
  let squares = 0;
  for (let one = at; one < at + length; one++) squares += (row[one] as number) ** 2;
  return Math.sqrt(squares);
}

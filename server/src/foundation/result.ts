/** At once where nothing must be waited for. */
export type MaybePromise<T> = T | Promise<T>;

/** The outcome of something the caller must handle: a value, or an error that is itself a value. */
export type Result<T, E> = Ok<T> | Err<E>;
export type Ok<T> = { readonly ok: true; readonly value: T };
export type Err<E> = { readonly ok: false; readonly error: E };

export function ok<T>(value: T): Ok<T> {
  return { ok: true, value };
}

export function err<E>(error: E): Err<E> {
  return { ok: false, error };
}

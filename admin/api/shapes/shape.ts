import type { Static, TSchema } from 'typebox';

/** Differences that JSON does not show: readonly, and a field that is undefined or not there. */
type Plain<T> = T extends readonly (infer Item)[]
  ? Plain<Item>[]
  : T extends object
    ? { -readonly [K in keyof T]-?: Plain<Exclude<T[K], undefined>> }
    : T;

/** A schema of an answer; does not compile when it tells another story than the view's type. */
export function shape<View>() {
  return <S extends TSchema>(
    schema: Plain<Static<S>> extends Plain<View>
      ? Plain<View> extends Plain<Static<S>>
        ? S
        : never
      : never,
  ): S => schema;
}

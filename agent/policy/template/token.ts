export type TokenKind =
  | 'identifier'
  | 'field'
  | 'variable'
  | 'dot'
  | 'number'
  | 'string'
  | 'operator'
  | 'end';

/** One token inside {{ }}. */
export interface Token {
  readonly kind: TokenKind;
  /** Source text; for `field` without the dot, for `variable` with the $. */
  readonly text: string;
  /** Value of a number or string literal. */
  readonly value?: string | number;
  readonly offset: number;
  /** White space stands before it: `.a .b` are two arguments, `.a.b` is one. */
  readonly spaced: boolean;
}

/** The template cut into text and actions, trim markers applied, comments gone. */
export type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'action'; readonly tokens: readonly Token[]; readonly offset: number };

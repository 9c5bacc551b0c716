import type { EdgeResponse } from './http-edge.ts';

/** What a handler returns when it sets more than the body: a page, a redirect, a file. */
export class Answer {
  readonly status: number;
  /** Laid over the headers that every answer has. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: EdgeResponse['body'];

  constructor(
    status: number,
    headers: Readonly<Record<string, string>>,
    body: EdgeResponse['body'],
  ) {
    this.status = status;
    this.headers = headers;
    this.body = body;
  }
}

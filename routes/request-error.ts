// What is wrong with a request before any database is asked.

/** One part of a request that is not taken. */
export interface FieldProblem {
  /** Where it is: a path as `params[0]`, a query parameter, a column. */
  readonly field: string;
  /** What is wrong with it and what is accepted; never the value of a secret. */
  readonly message: string;
}

export interface RequestErrorOptions {
  readonly hint?: string;
  readonly fields?: readonly FieldProblem[];
  /** Such as Allow, or Retry-After in seconds. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** A request that is answered with this status and a problem document. */
export class RequestError extends Error {
  readonly status: number;
  readonly hint: string | undefined;
  readonly fields: readonly FieldProblem[];
  readonly headers: Readonly<Record<string, string>>;

  /** @param detail a sentence without full stop: what is wrong, shown to the client */
  constructor(status: number, detail: string, options: RequestErrorOptions = {}) {
    super(detail);
    this.name = 'RequestError';
    this.status = status;
    this.hint = options.hint;
    this.fields = options.fields ?? [];
    this.headers = options.headers ?? {};
  }
}

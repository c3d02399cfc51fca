/**
 * Why the embedded database cannot run: a sentence for the operator who starts Gatepost, with what
 * to do about it.
 */
export class EmbeddedDatabaseError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'EmbeddedDatabaseError';
  }
}

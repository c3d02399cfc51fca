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

/** Another Gatepost runs the server of this directory, or is about to. */
export class DirectoryInUseError extends EmbeddedDatabaseError {
  override readonly name = 'DirectoryInUseError';
  readonly holderPid: number;

  constructor(message: string, holderPid: number) {
    super(message);
    this.holderPid = holderPid;
  }
}

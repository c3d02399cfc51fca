import { types } from 'node:util';

/**
 * The code of an error that Node, the system or a driver made, such as ECONNREFUSED; undefined
 * when it has none. An error from another realm counts as well, which `instanceof` would deny.
 */
export function toErrorCode(thrown: unknown): string | undefined {
  return types.isNativeError(thrown) && 'code' in thrown && typeof thrown.code === 'string'
    ? thrown.code
    : undefined;
}

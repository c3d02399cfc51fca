// Names of databases, as MongoDB takes them on every platform.

/** In bytes. Source: MongoDB manual, "Naming Restrictions". */
const DATABASE_NAME_BYTES_MAX = 63;

/** Whether a name can be a database's; MongoDB itself would say so at the first statement only. */
export function isDatabaseName(name: string): boolean {
  if (name === '$external') {
    return true;
  }
  const isShort = Buffer.byteLength(name) <= DATABASE_NAME_BYTES_MAX;
  return name !== '' && isShort && !/[/\\. "$\0]/.test(name);
}

// Jest's global tear-down: stops the PostgreSQL that start-postgres.js has started, if it has.
export default async function stopPostgres() {
  await globalThis.stopTestPostgres?.();
}

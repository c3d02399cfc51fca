// Jest's global tear-down: stops what start-databases.js has started.
export default async function stopDatabases() {
  await globalThis.stopTestDatabases?.();
}

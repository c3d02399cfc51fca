import path from 'node:path';

/** Files for TLS in tests, made once for good: see certificates/README.md. */
export const TEST_CERTIFICATES = {
  /** What a client trusts. */
  authority: file('ca.pem'),
  /** For localhost, 127.0.0.1 and ::1. */
  certFile: file('server.pem'),
  keyFile: file('server-key.pem'),
} as const;

function file(name: string): string {
  return path.join(import.meta.dirname, 'certificates', name);
}

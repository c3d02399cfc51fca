import assert from 'node:assert/strict';
import { createSqlPolicy } from '../../src/guardrails/sql-policy.ts';
import type {
  LexicalSettings,
  SqlPolicy,
  SqlPolicyRules,
} from '../../src/guardrails/sql-policy.ts';

/** What a session of any current client has. */
export const UTF8: LexicalSettings = { clientEncoding: 'UTF8', standardConformingStrings: true };

const policies = new Map<string, Promise<SqlPolicy>>();

/** The policy of some rules; the others restrict nothing. One of each rules for a test file. */
export async function policyOf(rules: Partial<SqlPolicyRules>): Promise<SqlPolicy> {
  const key = JSON.stringify(rules);
  const policy = policies.get(key) ?? create(rules);
  policies.set(key, policy);
  return await policy;
}

async function create(rules: Partial<SqlPolicyRules>): Promise<SqlPolicy> {
  const policy = await createSqlPolicy({ allow: [], deny: [], access: 'read-write', ...rules });
  assert.ok(policy, 'These rules restrict nothing');
  return policy;
}

/** `admitted`, or the SQLSTATE and the message of the refusal. */
export function verdict(
  policy: SqlPolicy,
  text: string | Uint8Array,
  settings: LexicalSettings = UTF8,
): string {
  const refusal = policy.admit(typeof text === 'string' ? Buffer.from(text) : text, settings);
  return refusal === undefined ? 'admitted' : `${refusal.sqlState} ${refusal.message}`;
}

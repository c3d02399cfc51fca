// The tables of config.toml that the runtime goes by, as Apache Iggy's own has them.
import * as z from 'zod';
import { declareTable } from './connector-file-table.ts';

const text = z.string().min(1);
const secret = text.meta({ secret: 'text' });

/** Values that would be in vain are refused, unless what they are for is off anyway. */
const LOCAL_CA =
  'is not supported: name the file in NODE_EXTRA_CA_CERTS, which Node.js reads at its start';

export const iggyTable = declareTable(
  z.strictObject({
    address: z.union([text, z.array(text).min(1)]).default('http://127.0.0.1:3000'),
    username: text.optional(),
    password: secret.optional(),
    token: secret.optional(),
  }),
);

export const iggyTlsTable = declareTable(
  z
    .strictObject({
      enabled: z.boolean().default(false),
      ca_file: text.optional(),
      domain: text.optional(),
    })
    .superRefine(({ enabled, ca_file, domain }, context) => {
      if (enabled && ca_file !== undefined) {
        context.addIssue({ code: 'custom', path: ['ca_file'], message: LOCAL_CA });
      }
      if (enabled && domain !== undefined) {
        const message = 'is not supported: the name in the address is what is checked';
        context.addIssue({ code: 'custom', path: ['domain'], message });
      }
    }),
);

export const stateTable = declareTable(z.strictObject({ path: text.default('local_state') }));

export const connectorsTable = declareTable(
  z.strictObject({ config_type: z.literal('local').default('local'), config_dir: text }),
);

export const httpTable = declareTable(
  z.strictObject({
    enabled: z.boolean().default(true),
    address: text.default('127.0.0.1:8081'),
    api_key: secret.optional(),
  }),
);

export const httpMetricsTable = declareTable(
  z.strictObject({
    enabled: z.boolean().default(true),
    endpoint: z.literal('/metrics').default('/metrics'),
  }),
);

/** Lines of JSON are what Gatepost writes. */
export const loggingTable = declareTable(
  z.strictObject({ format: z.literal('json').default('json') }),
);

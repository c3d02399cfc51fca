// Which tokens operations need, as the API's description has it.
import type { TokenScope } from '../src/api-tokens.ts';
import type { Components, SecurityRequirement } from './openapi-types.ts';

const SCHEME = 'bearer';

export const SECURITY_SCHEMES: Components['securitySchemes'] = {
  [SCHEME]: {
    type: 'http',
    scheme: 'bearer',
    description:
      'A token that `gatepost token NAME` has made and the setting `API_TOKENS` accepts. Its ' +
      'scope is `read`, `write` or `admin`, each of which includes those before it. Where no ' +
      'token is configured none is needed, and only the machine itself is answered.',
  },
};

/** An operation for everybody. */
export const OPEN: readonly SecurityRequirement[] = [];

/** An operation for tokens of this scope or of more. */
export function needs(scope: TokenScope): readonly SecurityRequirement[] {
  return [{ [SCHEME]: [scope] }];
}

/** An operation that is open unless it is configured otherwise. */
export function mayNeed(scope: TokenScope): readonly SecurityRequirement[] {
  return [{}, ...needs(scope)];
}

/** The scope that a description of needs names; undefined where none is needed. */
export function scopeOf(security: readonly SecurityRequirement[]): string | undefined {
  return security.flatMap((requirement) => requirement[SCHEME] ?? []).at(0);
}

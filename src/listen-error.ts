import { toErrorCode } from './error-code.ts';

/** What was to be listened on, and the settings that say so. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
  readonly portSetting: string;
  /** HOST unless said. */
  readonly hostSetting?: string;
}

/** Why a port could not be bound, in words that say what to do; the cause is kept. */
export function explainListenError(error: unknown, address: ListenAddress): Error {
  const message = explainCode(toErrorCode(error), address);
  return new Error(message ?? `Port ${address.port} cannot be listened on`, { cause: error });
}

function explainCode(
  code: string | undefined,
  { host, port, portSetting, hostSetting = 'HOST' }: ListenAddress,
): string | undefined {
  switch (code) {
    case 'EADDRINUSE':
      return `Port ${port} on ${host} is in use: end what listens there or set ${portSetting}`;
    case 'EACCES':
      return `Port ${port} is not open to this user: set ${portSetting} to 1024 or above`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `Host ${host} is no address of this machine (${code}): set ${hostSetting}`;
    default:
      return undefined;
  }
}

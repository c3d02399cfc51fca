// libpg-query keeps its one instance to itself and types only that. The package's own loader is
// declared here because an instance that has overflowed its stack must be thrown away.
declare module 'libpg-query/wasm/libpg-query.js' {
  /** One instance of the parser with its own memory. Addresses are offsets into that memory. */
  export interface PgQueryModule {
    /** Views of the memory; replaced when it grows, so read them afresh after every call. */
    readonly HEAPU8: Uint8Array;
    readonly HEAPU32: Uint32Array;
    _malloc(bytes: number): number;
    _free(address: number): void;
    _wasm_parse_query_raw(text: number): number;
    _wasm_free_parse_result(result: number): void;
    UTF8ToString(address: number): string;
  }

  export interface PgQueryModuleOptions {
    instantiateWasm(imports: object, receive: (instance: WebAssembly.Instance) => void): object;
    print(line: string): void;
    printErr(line: string): void;
  }

  function createModule(options: PgQueryModuleOptions): Promise<PgQueryModule>;
  export { createModule as default };
}

// Node has it; TypeScript declares it only in the library of browsers.
declare namespace WebAssembly {
  // The compiled code, opaque to us; the member keeps it from matching every object.
  interface Module {
    readonly [Symbol.toStringTag]: string;
  }
  class Instance {
    constructor(module: Module, imports: object);
    readonly exports: object;
  }
  function compile(bytes: Uint8Array): Promise<Module>;
}

// The part of the WebAssembly API that we use, which @types/node leaves to the browser's library: that library would
// also declare `document`, and a `fetch` whose JSON has no type.
declare namespace WebAssembly {
  type ImportValue = Global | Memory | Table | ((...args: never[]) => unknown) | number | bigint;
  type ExportValue = Global | Memory | Table | ((...args: (number | bigint)[]) => number | bigint | undefined);
  type Imports = Readonly<Record<string, Readonly<Record<string, ImportValue>>>>;
  type Exports = Readonly<Record<string, ExportValue>>;
  type Kind = 'function' | 'global' | 'memory' | 'table' | 'tag';
  type ValueType = 'i32' | 'i64' | 'f32' | 'f64' | 'v128' | 'externref' | 'anyfunc';

  class Module {
    private readonly brand;
    constructor(bytes: ArrayBufferView | ArrayBufferLike);
    static imports(module: Module): { readonly module: string; readonly name: string; readonly kind: Kind }[];
    static exports(module: Module): { readonly name: string; readonly kind: Kind }[];
    static customSections(module: Module, name: string): ArrayBuffer[];
  }

  class Instance {
    constructor(module: Module, imports?: Imports);
    readonly exports: Exports;
  }

  class Memory {
    /** Sizes in pages of 64 KiB. */
    constructor(descriptor: { readonly initial: number; readonly maximum?: number; readonly shared?: boolean });
    readonly buffer: ArrayBuffer;
    grow(pages: number): number;
  }

  class Table {
    constructor(descriptor: {
      readonly element: 'anyfunc' | 'externref';
      readonly initial: number;
      readonly maximum?: number;
    });
    readonly length: number;
    get(index: number): unknown;
    set(index: number, value: unknown): void;
    grow(count: number): number;
  }

  class Global {
    constructor(descriptor: { readonly value: ValueType; readonly mutable?: boolean }, value?: number | bigint);
    value: number | bigint;
  }

  class CompileError extends Error {}
  class LinkError extends Error {}
  class RuntimeError extends Error {}

  function validate(bytes: ArrayBufferView | ArrayBufferLike): boolean;
  function compile(bytes: ArrayBufferView | ArrayBufferLike): Promise<Module>;
  function instantiate(module: Module, imports?: Imports): Promise<Instance>;
  function instantiate(
    bytes: ArrayBufferView | ArrayBufferLike,
    imports?: Imports,
  ): Promise<{ module: Module; instance: Instance }>;
}

/**
 * What the linker supplies: a policy's own functions and the place of its tables. Each import of module `policy` is
 * replaced by a function of that policy before the module is optimised, so that these calls are inlined. AssemblyScript
 * names an import after its file and its function.
 */

/**
 * First byte that the allocator may use; everything below is code's static data and the policy's tables. Aligned to 16.
 */
export declare function heapStart(): usize;

/** Address of the table directory: `TABLE_SECTIONS` u32 addresses, 0 where a policy has no such section. */
export declare function tables(): usize;

/** Where the tables lie packed, and where they go; 0 all three where they are in their place. */
export declare function packedAt(): usize;
export declare function packedEnd(): usize;
export declare function unpackedAt(): usize;

/** Bytes of a facts block: one slot a fact of the policy. */
export declare function factsBytes(): u32;

/** Bytes of a result block (layout: compiler/wasm/result-layout.ts and kernel/decision/result.ts). */
export declare function resultBytes(): u32;

/**
 * Decides. `event` is EVENT_*; `store` is the position of the store for retrieval, chunk and ingest, of a tool call of the tool (see abi.ts), else 0; `facts` is
 * a facts block; `result` a zeroed result block. Straight-line code: no table of the policy is interpreted here.
 */
export declare function decide(event: i32, store: i32, facts: usize, result: usize): void;

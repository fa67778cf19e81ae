/** One wasm function while it is written: its locals and its statements. */
import type { Code, ResultType, ValueType } from './instructions.ts';
import type { PolicyModule } from './policy-code.ts';

/** A local: every `get` is a new expression. */
export interface Local {
  readonly get: () => Code;
  readonly set: (value: Code) => Code;
}

export class FunctionBuilder {
  readonly module: PolicyModule;
  readonly #params: readonly ValueType[];
  readonly #vars: ValueType[] = [];
  readonly #body: Code[] = [];
  #labels = 0;

  constructor(module: PolicyModule, params: readonly ValueType[]) {
    this.module = module;
    this.#params = params;
  }

  param(at: number): Local {
    return this.#local(at, this.#params[at]!);
  }

  /** A new local, zero until it is set. */
  local(type: ValueType): Local {
    this.#vars.push(type);
    return this.#local(this.#params.length + this.#vars.length - 1, type);
  }

  /** A new local that holds the value from here on. */
  hold(type: ValueType, value: Code): Local {
    const local = this.local(type);
    this.add(local.set(value));
    return local;
  }

  add(...statements: readonly Code[]): void {
    this.#body.push(...statements);
  }

  label(): string {
    return `l${this.#labels++}`;
  }

  /** Statements that `write` adds, as one block instead. */
  block(write: () => void): Code {
    const before = this.#body.splice(0);
    write();
    const block = this.module.block(null, this.#body.splice(0));
    this.#body.push(...before);
    return block;
  }

  /** Adds the function to the module. */
  end(name: string, result: ResultType): void {
    this.module.addFunction({
      name,
      params: this.#params,
      result,
      locals: this.#vars,
      body: this.module.block(null, this.#body),
    });
  }

  #local(index: number, type: ValueType): Local {
    const { module } = this;
    return { get: () => module.local.get(index, type), set: (value) => module.local.set(index, value) };
  }
}

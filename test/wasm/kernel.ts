/** The `opa` kernel, compiled once a test file. */
import { compileKernel, kernelEntry, kernelFlags } from '../../filters/kernel/build.ts';

let kernel: Promise<Uint8Array> | undefined;

export function opaKernel(): Promise<Uint8Array> {
  kernel ??= compileKernel(kernelEntry('opa'), kernelFlags('opa'));
  return kernel;
}

// Every way to decide, ours first. Adding one is a line here.
import { cedar } from './cedar.ts';
import { cel } from './cel.ts';
import type { Contender } from './contender.ts';
import { opaGo, opaWasm } from './opa.ts';
import { writInMemory, writInOpaHost } from './writ.ts';

export const contenders: readonly Contender[] = [writInMemory, writInOpaHost, opaWasm, opaGo, cel, cedar];

/** A role's ordinal in the enum `writ.role`, by its name on the wire. */
import { T_ENUMS } from '../abi';
import { enumOrdinal, section } from '../decision/tables';
import { is } from '../http/literal';

const tool: usize = memory.data<u8>([0x74, 0x6f, 0x6f, 0x6c]);

/** -1 where there is no such role. `function` is the old name of `tool`. */
export function roleOrdinal(p: usize, length: u32): i32 {
  const which = <i32>load<u32>(section(T_ENUMS)) - 1;
  if (is(p, length, 'function')) return enumOrdinal(which, tool, 4);
  return enumOrdinal(which, p, length);
}

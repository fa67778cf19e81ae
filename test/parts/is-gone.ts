// Whether a process has ended.
import { readFileSync } from 'node:fs';

/** Whether no process with this id runs any more: one that has ended and that its new parent has not collected does not. */
export function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ESRCH';
  }
  return stateOf(pid) === 'Z';
}

/** The state of a process by proc(5), the field after the command in parentheses; undefined where nobody says. */
function stateOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.charAt(stat.lastIndexOf(')') + 2);
  } catch {
    return undefined;
  }
}

/** How Envoy asks a policy: the filter runs in Envoy itself, or Envoy asks the sidecar. */
export type Door = 'in_envoy' | 'ext_proc';

/** In the order in which a build that names none takes them: the faster one first. */
export const DOORS: readonly Door[] = ['in_envoy', 'ext_proc'];

export function isDoor(text: string): text is Door {
  return DOORS.some((door) => door === text);
}

/**
 * The state of a model version as Triton's repository index names it: READY, UNAVAILABLE, LOADING, UNLOADING.
 * MLServer 1.7 sends how Python prints its own enumeration, "State.READY".
 */
export function modelState(sent: string): string {
  return sent.slice(sent.lastIndexOf('.') + 1);
}

/** A permit handed out, or asked back for somebody else. */
export interface TurnNotice {
  readonly kind: 'grant' | 'recall';
  readonly worker: number;
  readonly target: string;
}

interface Slot {
  free: number;
  /** Permits by worker. */
  readonly held: Map<number, number>;
  /** Since when the oldest request of each worker waits that wants one. */
  readonly wants: Map<number, number>;
  /** Holders that know that somebody wants theirs. */
  readonly recalled: Set<number>;
}

export interface TurnKeeperOptions {
  /** Runs that a slot may hold at once: one running, one staged. */
  readonly runsPerSlot: number;
  /** Slots kept account of; what is wanted on others is granted at once. */
  readonly maxSlots: number;
}

/**
 * Who may start runs on which instance slot. A permit allows one run at a time and stays with its holder while nobody else
 * wants one: a worker that is alone on a slot asks once. When somebody does, every holder is told, and each gives a permit
 * back at the end of its next run (at once when it has nothing for it). A free one goes to the worker whose oldest request
 * has waited longest: first come, first served over all workers, so that none starves while runs end.
 *
 *     A  [==== run ====] back            [==== run ====] back
 *     B     want           [==== run ====] back
 *     free                ^to B, which waited longer than A
 *
 * Pure: calls change the account, settle() says what follows from all of them together.
 */
export class TurnKeeper {
  readonly #options: TurnKeeperOptions;
  readonly #slots = new Map<string, Slot>();
  readonly #changed = new Set<string>();
  #beyond: TurnNotice[] = [];

  constructor(options: TurnKeeperOptions) {
    this.#options = options;
  }

  get slots(): number {
    return this.#slots.size;
  }

  want(worker: number, target: string, sinceMs: number): void {
    const slot = this.#slots.get(target) ?? this.#open(target);
    if (slot === undefined) {
      this.#beyond.push({ kind: 'grant', worker, target });
      return;
    }
    slot.wants.set(worker, Math.min(sinceMs, slot.wants.get(worker) ?? Infinity));
    this.#changed.add(target);
  }

  /** One permit. Without effect where the worker holds none. */
  giveBack(worker: number, target: string): void {
    const slot = this.#slots.get(target);
    const held = slot?.held.get(worker) ?? 0;
    if (slot === undefined || held === 0) return;
    if (held === 1) slot.held.delete(worker);
    else slot.held.set(worker, held - 1);
    slot.recalled.delete(worker);
    slot.free += 1;
    this.#changed.add(target);
  }

  /** The worker is gone: what it held is free, what it wanted is forgotten. */
  leave(worker: number): void {
    for (const [target, slot] of this.#slots) {
      const held = slot.held.get(worker) ?? 0;
      if (!slot.wants.delete(worker) && held === 0) continue;
      slot.held.delete(worker);
      slot.recalled.delete(worker);
      slot.free += held;
      this.#changed.add(target);
    }
  }

  settle(): TurnNotice[] {
    const notices = this.#beyond;
    this.#beyond = [];
    for (const target of this.#changed) {
      const slot = this.#slots.get(target);
      if (slot !== undefined) this.#settleSlot(target, slot, notices);
    }
    this.#changed.clear();
    return notices;
  }

  #settleSlot(target: string, slot: Slot, notices: TurnNotice[]): void {
    // 1. What is free goes to those who waited longest.
    for (let next = longestWaiting(slot); next !== undefined && slot.free > 0; next = longestWaiting(slot)) {
      slot.wants.delete(next);
      slot.free -= 1;
      slot.held.set(next, (slot.held.get(next) ?? 0) + 1);
      notices.push({ kind: 'grant', worker: next, target });
    }
    // 2. For the others every holder is asked, for nobody knows whose run ends first.
    for (const holder of slot.held.keys()) {
      const forOthers = slot.wants.size > (slot.wants.has(holder) ? 1 : 0);
      if (!forOthers || slot.recalled.has(holder)) continue;
      slot.recalled.add(holder);
      notices.push({ kind: 'recall', worker: holder, target });
    }
    if (slot.held.size === 0 && slot.wants.size === 0) this.#slots.delete(target);
  }

  #open(target: string): Slot | undefined {
    if (this.#slots.size >= this.#options.maxSlots) return undefined;
    const slot: Slot = { free: this.#options.runsPerSlot, held: new Map(), wants: new Map(), recalled: new Set() };
    this.#slots.set(target, slot);
    return slot;
  }
}

function longestWaiting({ wants }: Slot): number | undefined {
  let longest: number | undefined;
  let sinceMs = Infinity;
  for (const [worker, since] of wants) {
    if (longest !== undefined && since >= sinceMs) continue;
    longest = worker;
    sinceMs = since;
  }
  return longest;
}

/** One instance slot of a backend for one model, as routing describes it to whoever places work. */
export interface Target {
  readonly id: string;
  readonly podClass: string;
  /** Runs handed to it and not finished. */
  readonly outstanding: number;
  /** Runs it may hold: one running and one staged, so that what is urgent never waits in a queue nobody here can reorder. */
  readonly capacity: number;
  /** Predicted ms until all it holds is done. */
  readonly freeInMs: number;
  /** Multiplies predicted times: slow start, other models' load, trials. 1 = normal. */
  readonly penalty: number;
  /** What a call costs besides the run, ms. */
  readonly networkMs: number;
  readonly batchOverheadMs: number;
}

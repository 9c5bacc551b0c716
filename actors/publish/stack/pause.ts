/** Lets the other actors of the thread go on; called after each file and each module. */
export type Pause = () => Promise<void>;

/** Pauses only every `every` calls, so that many small steps do not each cost a timer. */
export function pauseEvery(every: number, pause: Pause): Pause {
  let calls = 0;
  return async () => {
    calls += 1;
    if (calls % every === 0) await pause();
  };
}

import type { PolicyValue } from '../../protocol/bundle.ts';

/** What a condition may ask of the machine. The converge engine supplies it on the node. */
export interface WhenEnvironment {
  /** The trait at a dotted path, or undefined when it is not known. */
  trait(path: string): PolicyValue | undefined;
  /** The module's variable at a dotted path, or undefined. Absent: variables cannot be read here. */
  readonly variable?: (path: string) => PolicyValue | undefined;
  /** The resource was triggered by notify or subscribes in this pass. */
  readonly triggered: boolean;
  localTime(): LocalTime;
  /** A regular file is there (links followed). */
  fileExists(path: string): Promise<boolean>;
  directoryExists(path: string): Promise<boolean>;
  processRunning(name: string): Promise<boolean>;
  /** Runs `sh -c command` under the environment's own time limit; true when it exits 0. */
  commandSucceeds(command: string): Promise<boolean>;
}

export interface LocalTime {
  /** 0 to 23. */
  readonly hour: number;
  /** 0 to 59. */
  readonly minute: number;
  /** 0 = Sunday. */
  readonly dayOfWeek: number;
  /** 1 to 31. */
  readonly dayOfMonth: number;
}

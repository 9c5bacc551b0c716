/** One code of a registry: what a person is told. */
export interface AgentErrorEntry {
  /** What happened; `{name}` is replaced by the detail of that name. */
  readonly message: string;
  /** What the reader can do about it. */
  readonly remedy: string;
  /** Exit code of the `vigo` program; 1 when absent. 4 = refused, 5 = unreachable, 64 = usage. */
  readonly exitCode?: number;
  /** What a resource becomes: blocked = trouble of the machine around it. Default failed. */
  readonly outcome?: 'blocked' | 'failed';
}

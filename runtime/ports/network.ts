/** One link between two threads of a system, carrying batches of encoded messages in order. */
export interface Link {
  send(batch: Uint8Array): void;
  onReceive(receive: (batch: Uint8Array) => void): void;
  close(): void;
}

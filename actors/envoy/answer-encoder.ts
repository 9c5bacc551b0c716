import { CheckInResponse } from '../../agent/protocol/gen/vigo/v1/agent.ts';

type Writer = ReturnType<typeof CheckInResponse.encode>;

/** A buffer that has grown beyond this for a bundle is not kept. */
const keptBytes = 16_384;

/** Encodes the answers of one thread, one after the other, in a buffer that is used again. */
export class AnswerEncoder {
  #writer: Writer | undefined;

  encode(answer: CheckInResponse): Uint8Array {
    const writer = this.#writer;
    // Until it is known that nothing went wrong halfway.
    this.#writer = undefined;
    const used = writer ? CheckInResponse.encode(answer, writer) : CheckInResponse.encode(answer);
    const bytes = used.finish();
    if (bytes.length <= keptBytes) this.#writer = used;
    return bytes;
  }
}

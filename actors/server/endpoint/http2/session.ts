import { streamsPerConnectionLimit } from '../limits.ts';
import { ConnectionFault } from './connection-fault.ts';
import { FrameReader } from './frame-reader.ts';
import {
  defaultWindow,
  errorCode,
  flag,
  frameType,
  goAwayFrame,
  pingAck,
  resetFrame,
  setting,
  settingsAck,
  settingsFrame,
  windowFrame,
  windowMax,
} from './frames.ts';
import { HeaderBlock } from './header-block.ts';
import { HeaderBlockError, HeaderDecoder, headerListLimit } from './header-decoder.ts';
import {
  connectionWindow,
  nuisanceLimit,
  patienceSweeps,
  progressBytes,
  refusalNuisance,
  repliesPerFrame,
  resetNuisance,
  streamWindow,
} from './limits.ts';
import { Output, type Wire } from './output.ts';
import { headerBlockOf, needLength, needPriority, readSettings, unpadded } from './payloads.ts';
import type { HeadFault, HeadReader, RequestHead } from './request-head.ts';
import { type BodySink, Stream, type StreamOwner } from './stream.ts';

/** What all sessions of a thread share. */
export interface SessionHost<Peer> {
  readonly heads: HeadReader;
  /** Serves a request, or answers it and returns nothing. */
  open(stream: Stream, peer: Peer): BodySink | undefined;
  /** The peer broke the protocol and is cut off. */
  broken(peer: Peer, reason: string): void;
}

/** The settings and the window that every peer is greeted with. */
const greeting = Buffer.concat([
  settingsFrame([
    [setting.headerTableSize, 0],
    [setting.maxConcurrentStreams, streamsPerConnectionLimit],
    [setting.initialWindowSize, streamWindow],
    [setting.maxHeaderListSize, headerListLimit],
  ]),
  windowFrame(0, connectionWindow - defaultWindow),
]);

/** The server's half of one HTTP/2 connection (RFC 9113). */
export class Session<Peer> implements StreamOwner {
  readonly output: Output;
  readonly #socket: Wire;
  readonly #peer: Peer;
  readonly #host: SessionHost<Peer>;
  readonly #reader = new FrameReader();
  readonly #decoder = new HeaderDecoder();
  readonly #streams: Stream[] = [];
  #block: HeaderBlock | undefined;
  #isOver = false;
  #highestId = 0;
  #receiveWindow = connectionWindow;
  /** Body bytes that a new stream may send to the peer. */
  #peerWindow = defaultWindow;
  /** Calls whose streams are gone already. */
  #lingering = 0;
  #nuisance = 0;
  #progress = 0;
  /** Sweeps since the peer last did some of what it has to do. */
  #waited = 0;

  constructor(socket: Wire, peer: Peer, host: SessionHost<Peer>) {
    this.#socket = socket;
    this.#peer = peer;
    this.#host = host;
    this.output = new Output(socket);
    this.output.write(greeting);
  }

  /** Takes what came from the peer. */
  read(chunk: Buffer): void {
    if (this.#isOver) return;
    this.output.gather();
    try {
      this.#reader.read(chunk, this.#handle);
    } catch (error) {
      this.#break(error);
    }
    const isPatient = this.output.flush();
    if (this.#isOver) this.#socket.destroySoon();
    else if (!isPatient) this.#socket.destroy();
  }

  /** The socket has sent what it had. */
  drained(): void {
    this.#waited = 0;
    this.#pumpAll();
  }

  /** Tells the peer to ask nothing more here; what it asks until it knows is answered. */
  drain(): void {
    if (!this.#isOver) this.output.write(goAwayFrame(windowMax, errorCode.none, ''));
  }

  /** The connection is gone. */
  end(): void {
    this.#isOver = true;
    for (const stream of [...this.#streams]) stream.leave();
  }

  closed(stream: Stream, isUnanswered: boolean): void {
    const index = this.#streams.indexOf(stream);
    if (index !== -1) this.#streams.splice(index, 1);
    if (isUnanswered) this.#lingering += 1;
  }

  sent(): void {
    this.#nuisance -= repliesPerFrame;
  }

  settled(): void {
    this.#lingering -= 1;
  }

  pump(stream: Stream): void {
    while (stream.sendSome());
  }

  /** Called every `sweepMs`. Cuts off a peer that has stopped halfway. */
  sweep(): void {
    this.#nuisance = 0;
    const owes =
      this.#isOver ||
      this.#socket.isHalfway ||
      this.#reader.isHalfway ||
      this.#block !== undefined ||
      this.#streams.some(({ waitsForPeer }) => waitsForPeer);
    this.#waited = owes ? this.#waited + 1 : 0;
    if (this.#waited < patienceSweeps) return;
    if (!this.#isOver) this.#host.broken(this.#peer, 'it stopped halfway');
    this.#socket.destroy();
  }

  readonly #handle = (type: number, flags: number, id: number, payload: Buffer): boolean => {
    if (this.#block !== undefined && type !== frameType.continuation) {
      throw new ConnectionFault(errorCode.protocol, 'a frame within a header block');
    }
    this.#frame(type, flags, id, payload);
    if (this.#nuisance > nuisanceLimit) {
      throw new ConnectionFault(errorCode.enhanceYourCalm, 'too many frames to no purpose');
    }
    return true;
  };

  #frame(type: number, flags: number, id: number, payload: Buffer): void {
    switch (type) {
      case frameType.headers:
        this.#headers(flags, id, payload);
        return;
      case frameType.data:
        this.#data(flags, id, payload);
        return;
      case frameType.continuation:
        this.#continuation(flags, id, payload);
        return;
      default:
        this.#nuisance += 1;
    }
    switch (type) {
      case frameType.windowUpdate:
        this.#windowUpdate(id, payload);
        return;
      case frameType.settings:
        this.#settings(flags, id, payload);
        return;
      case frameType.ping:
        needLength(payload, 8);
        if (id !== 0) throw new ConnectionFault(errorCode.protocol, 'a ping on a stream');
        if ((flags & flag.ack) === 0) this.output.write(pingAck(payload));
        return;
      case frameType.resetStream:
        needLength(payload, 4);
        this.#nuisance += resetNuisance;
        this.#stream(id)?.leave();
        return;
      case frameType.priority:
        needPriority(id, payload);
        return;
      case frameType.goAway:
        if (id !== 0) throw new ConnectionFault(errorCode.protocol, 'a goodbye on a stream');
        return;
      case frameType.pushPromise:
        throw new ConnectionFault(errorCode.protocol, 'a promise by a client');
    }
  }

  #data(flags: number, id: number, payload: Buffer): void {
    this.#receiveWindow -= payload.length;
    if (this.#receiveWindow < 0) {
      throw new ConnectionFault(errorCode.flowControl, 'more than the window of the connection');
    }
    const body = unpadded(flags, payload);
    if (this.#receiveWindow < connectionWindow / 2) {
      this.output.write(windowFrame(0, connectionWindow - this.#receiveWindow));
      this.#receiveWindow = connectionWindow;
    }
    this.#progress += body.length;
    if (this.#progress >= progressBytes) {
      this.#progress = 0;
      this.#waited = 0;
    }
    const ends = (flags & flag.endStream) !== 0;
    const stream = this.#stream(id);
    if (stream === undefined || (body.length === 0 && !ends)) this.#nuisance += 1;
    if (stream === undefined) return;
    if (stream.isComplete) {
      stream.reset(errorCode.streamClosed);
      return;
    }
    if (!stream.receive(body, payload.length)) {
      stream.reset(errorCode.flowControl);
      return;
    }
    if (ends) this.#complete(stream);
  }

  #headers(flags: number, id: number, payload: Buffer): void {
    if (id % 2 === 0) throw new ConnectionFault(errorCode.protocol, 'not a stream of a client');
    const part = headerBlockOf(flags, payload);
    const endStream = (flags & flag.endStream) !== 0;
    if ((flags & flag.endHeaders) !== 0) this.#headersEnded(id, endStream, part);
    else this.#block = new HeaderBlock(id, endStream, part);
  }

  #continuation(flags: number, id: number, payload: Buffer): void {
    const block = this.#block;
    if (block === undefined) {
      throw new ConnectionFault(errorCode.protocol, 'the continuation of nothing');
    }
    block.add(id, payload);
    if ((flags & flag.endHeaders) === 0) return;
    this.#block = undefined;
    this.#headersEnded(id, block.endStream, block.whole());
  }

  #headersEnded(id: number, endStream: boolean, block: Buffer): void {
    // Read in any case: the tables of both sides must stay in step.
    const head = this.#host.heads.read(block, this.#decoder);
    if (id > this.#highestId) {
      this.#open(id, endStream, head);
      return;
    }
    const stream = this.#stream(id);
    if (stream === undefined) {
      this.#nuisance += 1;
      return;
    }
    if (stream.isComplete) {
      stream.reset(errorCode.streamClosed);
      return;
    }
    // Trailers are no head of a request, and end the stream. Nothing in them concerns us.
    if (!endStream || typeof head === 'object') {
      stream.reset(errorCode.protocol);
      return;
    }
    this.#complete(stream);
  }

  #open(id: number, endStream: boolean, head: RequestHead | HeadFault): void {
    this.#highestId = id;
    if (head === 'malformed') {
      this.#refuse(id, errorCode.protocol);
      return;
    }
    if (head === 'too large') {
      this.#refuse(id, errorCode.enhanceYourCalm);
      return;
    }
    if (this.#streams.length + this.#lingering >= streamsPerConnectionLimit) {
      this.#refuse(id, errorCode.refusedStream);
      return;
    }
    const stream = new Stream(id, head, this, this.#peerWindow);
    this.#streams.push(stream);
    stream.isComplete = endStream;
    stream.sink = this.#host.open(stream, this.#peer);
    if (endStream) this.#complete(stream);
  }

  #complete(stream: Stream): void {
    if (stream.isOpen && !stream.complete()) stream.reset(errorCode.protocol);
  }

  #windowUpdate(id: number, payload: Buffer): void {
    needLength(payload, 4);
    const credit = payload.readUInt32BE(0) & windowMax;
    this.#waited = 0;
    if (id === 0) {
      if (credit === 0) throw new ConnectionFault(errorCode.protocol, 'an update by nothing');
      if (!this.output.addWindow(credit)) throw windowOverflow();
      this.#pumpAll();
      return;
    }
    const stream = this.#stream(id);
    if (stream === undefined) return;
    if (credit === 0) {
      stream.reset(errorCode.protocol);
      return;
    }
    if (!stream.addWindow(credit)) {
      stream.reset(errorCode.flowControl);
      return;
    }
    this.pump(stream);
  }

  #settings(flags: number, id: number, payload: Buffer): void {
    if (id !== 0) throw new ConnectionFault(errorCode.protocol, 'settings of a stream');
    if ((flags & flag.ack) !== 0) {
      needLength(payload, 0);
      return;
    }
    const { window = this.#peerWindow, tableSize } = readSettings(payload);
    if (tableSize !== undefined) this.output.owesTableSize = true;
    const change = window - this.#peerWindow;
    this.#peerWindow = window;
    this.output.write(settingsAck);
    if (change === 0) return;
    for (const stream of this.#streams) if (!stream.addWindow(change)) throw windowOverflow();
    this.#pumpAll();
  }

  /** Undefined for a stream that is over; one that never was is an error. */
  #stream(id: number): Stream | undefined {
    for (const stream of this.#streams) if (stream.id === id) return stream;
    if (id % 2 === 1 && id <= this.#highestId) return undefined;
    throw new ConnectionFault(errorCode.protocol, 'a frame of a stream that is not there');
  }

  #refuse(id: number, code: number): void {
    this.#nuisance += refusalNuisance;
    this.output.write(resetFrame(id, code));
  }

  #pumpAll(): void {
    for (const stream of [...this.#streams]) this.pump(stream);
  }

  #break(error: unknown): void {
    const fault = faultOf(error);
    this.output.write(goAwayFrame(this.#highestId, fault.code, fault.message));
    this.#host.broken(this.#peer, fault.message);
    this.end();
  }
}

function windowOverflow(): ConnectionFault {
  return new ConnectionFault(errorCode.flowControl, 'a window too large');
}

function faultOf(error: unknown): ConnectionFault {
  if (error instanceof ConnectionFault) return error;
  if (error instanceof HeaderBlockError) {
    return new ConnectionFault(errorCode.compression, error.message);
  }
  throw error;
}

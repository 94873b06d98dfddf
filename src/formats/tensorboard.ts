import { codec } from "./protobuf.js";

/**
 * TensorBoard's event files: TFRecords (length, checksum, bytes, checksum) of `Event` messages. Field numbers are
 * those of tensorflow/core/util/event.proto and tensorflow/core/framework/summary.proto.
 */
const schema = `
  syntax = "proto3";
  message Event {
    double wall_time = 1;
    int64 step = 2;
    string file_version = 3;
    Summary summary = 5;
    SessionLog session_log = 7;
  }
  message SessionLog { int32 status = 1; }
  message Summary { repeated Value value = 1; }
  message Value { string tag = 1; float simple_value = 2; Image image = 4; }
  message Image { int32 height = 1; int32 width = 2; int32 colorspace = 3; bytes encoded_image_string = 4; }
`;

interface EventMessage {
  readonly wall_time: number;
  readonly step?: number;
  readonly file_version?: string;
  readonly session_log?: { readonly status: number };
  readonly summary?: { readonly value: readonly Readonly<Record<string, unknown>>[] };
}

const event = codec<EventMessage>(schema, "Event", "TensorBoard");
const SESSION_START = 1;
const RGB = 3;

/** The first record of every file. @param seconds since 1970 */
export function fileHeader(seconds: number): Uint8Array {
  return record({ wall_time: seconds, file_version: "brain.Event:2" });
}

/** Tells readers to forget what other files of the folder say from `step` on: the run went back to there. */
export function sessionStart(seconds: number, step: number): Uint8Array {
  return record({ wall_time: seconds, step, session_log: { status: SESSION_START } });
}

export function scalars(seconds: number, step: number, values: Readonly<Record<string, number>>): Uint8Array {
  const value = Object.entries(values).map(([tag, simple_value]) => ({ tag, simple_value }));
  return record({ wall_time: seconds, step, summary: { value } });
}

export interface PngImage {
  readonly width: number;
  readonly height: number;
  readonly png: Uint8Array;
}

export function image(seconds: number, step: number, tag: string, { width, height, png }: PngImage): Uint8Array {
  const message = { height, width, colorspace: RGB, encoded_image_string: png };
  return record({ wall_time: seconds, step, summary: { value: [{ tag, image: message }] } });
}

/** One TFRecord. */
function record(message: EventMessage): Uint8Array {
  const data = event.encode(message);
  const bytes = new Uint8Array(8 + 4 + data.length + 4);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, maskedCrc32c(bytes.subarray(0, 8)), true);
  bytes.set(data, 12);
  view.setUint32(12 + data.length, maskedCrc32c(data), true);
  return bytes;
}

const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0); // Castagnoli's polynomial
  return crc;
});

/** As TFRecords have it: rotated and shifted, so that checksums of data with checksums in it stay good. */
export function maskedCrc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crcTable[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8);
  crc = ~crc >>> 0;
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

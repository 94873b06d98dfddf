import { draw } from "./draw.js";

/** Small files, each saying that it is a picture of 40000x40000; a still WebP can't say more than 16384x16384. */
export const bombs: Readonly<Record<string, () => Promise<Buffer>>> = {
  JPEG: async () => claimJpeg(await draw(9).jpeg().toBuffer(), 0xc0),
  "progressive JPEG": async () => claimJpeg(await draw(9).jpeg({ progressive: true }).toBuffer(), 0xc2),
  PNG: async () => claimPng(await draw(9).png().toBuffer()),
  "animated WebP": async () => claimWebp(await draw(9).webp({ lossless: true }).toBuffer()),
  "WebP of the largest size it has": async () => claimLosslessWebp(await draw(9).webp({ lossless: true }).toBuffer()),
  TIFF: async () => claimTiff(await draw(9).tiff({ compression: "lzw" }).toBuffer()),
  GIF: async () => claimGif(await draw(9).gif().toBuffer()),
  AVIF: async () => claimAvif(await draw(9).avif({ effort: 0 }).toBuffer()),
};

const SIZE = 40_000;

function claimJpeg(file: Buffer, startOfFrame: number): Buffer {
  const frame = file.indexOf(Buffer.from([0xff, startOfFrame]));
  file.writeUInt16BE(SIZE, frame + 5);
  file.writeUInt16BE(SIZE, frame + 7);
  return file;
}

function claimPng(file: Buffer): Buffer {
  file.writeUInt32BE(SIZE, 16);
  file.writeUInt32BE(SIZE, 20);
  file.writeUInt32BE(crc32(file.subarray(12, 29)), 29);
  return file;
}

/** As ISO 3309 has it; Node.js 20.9 has none of its own. */
function crc32(bytes: Uint8Array): number {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

/** Width and height less one are 14 bits each behind the signature. */
function claimLosslessWebp(file: Buffer): Buffer {
  const size = file.indexOf("VP8L") + 9;
  file.writeUInt32LE((file.readUInt32LE(size) | 0x0fff_ffff) >>> 0, size);
  return file;
}

function claimWebp(file: Buffer): Buffer {
  const chunk = (name: string, body: Buffer) => {
    const head = Buffer.alloc(8);
    head.write(name, "latin1");
    head.writeUInt32LE(body.length, 4);
    return Buffer.concat([head, body, Buffer.alloc(body.length % 2)]);
  };
  const canvas = Buffer.alloc(10);
  canvas[0] = 2; // an animation
  canvas.writeUIntLE(SIZE - 1, 4, 3);
  canvas.writeUIntLE(SIZE - 1, 7, 3);
  const frame = Buffer.alloc(16);
  frame.writeUIntLE(80 - 1, 6, 3);
  frame.writeUIntLE(60 - 1, 9, 3);
  const body = Buffer.concat([
    Buffer.from("WEBP"),
    chunk("VP8X", canvas),
    chunk("ANIM", Buffer.alloc(6)),
    chunk("ANMF", Buffer.concat([frame, file.subarray(12)])),
  ]);
  return chunk("RIFF", body);
}

function claimTiff(file: Buffer): Buffer {
  const directory = file.readUInt32LE(4);
  for (let i = 0; i < file.readUInt16LE(directory); i++) {
    const entry = directory + 2 + 12 * i;
    const [tag, type] = [file.readUInt16LE(entry), file.readUInt16LE(entry + 2)];
    if (tag !== 256 && tag !== 257) continue; // width and height
    if (type === 3) file.writeUInt16LE(SIZE, entry + 8);
    else file.writeUInt32LE(SIZE, entry + 8);
  }
  return file;
}

/** The screen, and the one frame on it. */
function claimGif(file: Buffer): Buffer {
  const colours = file[10] & 0x80 ? 3 * 2 ** ((file[10] & 7) + 1) : 0;
  let frame = 13 + colours;
  while (file[frame] === 0x21) {
    frame += 2; // an extension: blocks, the last one empty
    while (file[frame] > 0) frame += file[frame] + 1;
    frame++;
  }
  for (const at of [6, 8, frame + 5, frame + 7]) file.writeUInt16LE(SIZE, at);
  return file;
}

function claimAvif(file: Buffer): Buffer {
  const extents = file.indexOf("ispe") + 8;
  file.writeUInt32BE(SIZE, extents);
  file.writeUInt32BE(SIZE, extents + 4);
  return file;
}

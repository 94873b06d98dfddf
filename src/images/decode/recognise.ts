/** What a file's first bytes say it is; extensions are not trusted. */
export type FileKind =
  | "empty file"
  | "JPEG"
  | "PNG"
  | "GIF"
  | "WebP"
  | "AVIF"
  | "HEIC"
  | "TIFF"
  | "Netpbm"
  | "BMP"
  | "JPEG 2000"
  | "JPEG XL"
  | "camera raw"
  | "Photoshop document"
  | "PDF"
  | "video"
  | "compressed file"
  | "SVG"
  | "HTML"
  | "text"
  | "unknown bytes";

/** What gzip, ZIP, bzip2, xz, Zstandard and RAR begin with. */
const compressed = ["\x1f\x8b", "PK\x03\x04", "BZh", "\xfd7zXZ", "\x28\xb5\x2f\xfd", "Rar!"];
const TEXT_SAMPLE = 1024;
const LEAST_TEXT = 3; // bytes: less is rather the beginning of something

export function recognise(bytes: Uint8Array): FileKind {
  if (bytes.length === 0) return "empty file";
  const latin = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, TEXT_SAMPLE)).toString("latin1");
  if (latin.startsWith("\xff\xd8\xff")) return "JPEG";
  if (latin.startsWith("\x89PNG\r\n\x1a\n")) return "PNG";
  if (latin.startsWith("GIF8")) return "GIF";
  if (latin.startsWith("RIFF") && latin.slice(8, 12) === "WEBP") return "WebP";
  if (latin.slice(4, 8) === "ftyp") return recogniseBrand(latin);
  if (/^II\*\0....CR/s.test(latin) || latin.startsWith("FUJIFILMCCD-RAW") || latin.startsWith("IIRO"))
    return "camera raw";
  if (latin.startsWith("II*\0") || latin.startsWith("MM\0*") || latin.startsWith("II+\0"))
    return isRawTiff(bytes) ? "camera raw" : "TIFF";
  if (latin.startsWith("BM")) return "BMP";
  if (/^P[1-6][\s#]/.test(latin)) return "Netpbm";
  if (latin.startsWith("%PDF-")) return "PDF";
  if (latin.startsWith("8BPS")) return "Photoshop document";
  if (latin.startsWith("\xff\x0a") || latin.startsWith("\0\0\0\x0cJXL ")) return "JPEG XL";
  if (latin.startsWith("\xff\x4f\xff\x51") || latin.startsWith("\0\0\0\x0cjP  ")) return "JPEG 2000";
  if (latin.startsWith("\x1a\x45\xdf\xa3") || /^RIFF....AVI /s.test(latin)) return "video"; // Matroska, WebM
  if (compressed.some((start) => latin.startsWith(start))) return "compressed file";
  return latin.length >= LEAST_TEXT && isText(latin) ? recogniseText(latin) : "unknown bytes";
}

/** ISO media files say in their first box what they are compatible with (ISO/IEC 14496-12, 4.3). */
function recogniseBrand(latin: string): FileKind {
  const brands = latin.slice(8, Math.max(12, Math.min(latin.charCodeAt(3) + (latin.charCodeAt(2) << 8), 80)));
  if (brands.startsWith("crx ")) return "camera raw"; // Canon's CR3
  if (/avi[fs]/.test(brands)) return "AVIF";
  return /hei[cmsx]|hev[cx]|mif1|msf1/.test(brands) ? "HEIC" : "video";
}

const NEW_SUBFILE_TYPE = 254;
const SUB_DIRECTORIES = 330;
const DNG_VERSION = 50706;

/**
 * Cameras' raw files (NEF, ARW, DNG) are TIFFs whose first directory is a small preview, marked as such, with the sensor's
 * data in directories of its own: reading them as TIFFs would give the preview.
 */
function isRawTiff(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = bytes[0] === 0x49;
  if (bytes.length < 8) return false;
  const directory = view.getUint32(4, little);
  if (directory + 2 > bytes.length) return false;
  const values = new Map<number, number>();
  for (let i = 0; i < view.getUint16(directory, little); i++) {
    const entry = directory + 2 + 12 * i;
    if (entry + 12 > bytes.length) break;
    values.set(view.getUint16(entry, little), view.getUint32(entry + 8, little));
  }
  const isPreview = ((values.get(NEW_SUBFILE_TYPE) ?? 0) & 1) === 1;
  return values.has(DNG_VERSION) || (isPreview && values.has(SUB_DIRECTORIES));
}

function recogniseText(text: string): FileKind {
  if (/<svg[\s>]/i.test(text)) return "SVG";
  return /<!doctype html|<html|<head|<body/i.test(text) ? "HTML" : "text";
}

function isText(latin: string): boolean {
  for (let i = 0; i < latin.length; i++) {
    const code = latin.charCodeAt(i);
    if (code < 9 || (code > 13 && code < 32)) return false;
  }
  return true;
}

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
  | "BMP"
  | "SVG"
  | "HTML"
  | "text"
  | "unknown bytes";

const TEXT_SAMPLE = 1024;

export function recognise(bytes: Uint8Array): FileKind {
  if (bytes.length === 0) return "empty file";
  const latin = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, TEXT_SAMPLE)).toString("latin1");
  if (latin.startsWith("\xff\xd8\xff")) return "JPEG";
  if (latin.startsWith("\x89PNG\r\n\x1a\n")) return "PNG";
  if (latin.startsWith("GIF8")) return "GIF";
  if (latin.startsWith("RIFF") && latin.slice(8, 12) === "WEBP") return "WebP";
  if (latin.slice(4, 8) === "ftyp") return /avi[fs]/.test(latin.slice(8, 40)) ? "AVIF" : "HEIC";
  if (latin.startsWith("II*\0") || latin.startsWith("MM\0*") || latin.startsWith("II+\0")) return "TIFF";
  if (latin.startsWith("BM")) return "BMP";
  return isText(latin) ? recogniseText(latin) : "unknown bytes";
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

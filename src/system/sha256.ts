import crypto from "node:crypto";

/**
 * SHA-256 of some bytes, or of text as UTF-8. In one call where Node.js has it (20.12): the objects that older versions
 * take stay until a full garbage collection, which millions of pictures notice.
 */
export const sha256: (data: Uint8Array | string) => Buffer =
  typeof crypto.hash === "function"
    ? (data) => crypto.hash("sha256", data, "buffer")
    : (data) => crypto.createHash("sha256").update(data).digest();

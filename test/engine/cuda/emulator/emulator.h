// What the parts of the emulator share.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <functional>
#include <vector>

enum { OK = 0, INVALID = 1, OUT_OF_MEMORY = 2, NOT_READY = 600, CAPTURING = 900 };

using Work = std::function<void()>;

// Work in order; nothing runs before somebody waits.
struct Stream {
  std::deque<Work> queue;
  uint64_t enqueued = 0, done = 0;
  bool capturing = false, eager = false;
};

// Does the work when the stream gets there; while it captures, each time its graph runs.
void enqueue(Stream* stream, Work work);

inline float widen(uint16_t bits) {
  uint32_t word = (uint32_t)bits << 16;
  float value;
  memcpy(&value, &word, 4);
  return value;
}

inline uint16_t narrow(float value) {
  uint32_t word;
  memcpy(&word, &value, 4);
  if ((word & 0x7fffffffu) > 0x7f800000u) return (uint16_t)((word >> 16) | 0x40u);
  return (uint16_t)((word + 0x7fffu + ((word >> 16) & 1u)) >> 16);
}

// To TF32's 10 bits of fraction.
inline float shortened(float value) {
  uint32_t bits;
  memcpy(&bits, &value, 4);
  bits = (bits + 0x0fffu + ((bits >> 13) & 1u)) & ~0x1fffu;
  memcpy(&value, &bits, 4);
  return value;
}

// Numbers of one of two formats; float32 ones may be read as TF32.
struct Numbers {
  void* data;
  bool bf16, tf32 = false;
  float get(size_t i) const {
    if (bf16) return widen(((uint16_t*)data)[i]);
    float value = ((float*)data)[i];
    return tf32 ? shortened(value) : value;
  }
  void set(size_t i, float value) const {
    if (bf16)
      ((uint16_t*)data)[i] = narrow(value);
    else
      ((float*)data)[i] = value;
  }
};

inline float rectify(float value) { return value < 0 ? 0 : value; }

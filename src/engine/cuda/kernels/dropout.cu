// Dropout without a stored mask: a unit's fate is a pure function of seed, layer, sample and unit, the same as in
// ../dropout-mask.ts. x, y: (samples, PIXELS, CHANNELS); units are counted in (channel, pixel) order.
// LAYER: the layer's index. DROPPED: units whose draw is below this are dropped; KEPT: the others are multiplied by it.
#include "numbers.cuh"

#define DROPOUT 6  // what the draw is for: Purpose.dropout of random.ts

__device__ __forceinline__ unsigned mix(unsigned h) {
  h = (h ^ (h >> 16)) * 0x85ebca6bu;
  h = (h ^ (h >> 13)) * 0xc2b2ae35u;
  return h ^ (h >> 16);
}

__device__ __forceinline__ unsigned append(unsigned h, unsigned key) { return mix((h * 5u + 0xe6546b64u) ^ key); }

// bits(seed, DROPOUT, LAYER, sample, which) of random.ts.
__device__ __forceinline__ unsigned draw(const Controls& controls, unsigned sample, unsigned which) {
  unsigned h = append(0x9e3779b9u, (unsigned)controls.seedLow);
  if (controls.seedHigh != 0 && controls.seedHigh != -1) h = mix(h ^ (unsigned)controls.seedHigh);
  return mix(append(append(append(append(h, DROPOUT), LAYER), sample), which));
}

// Also for gradients: x and y may be the same memory.
extern "C" __global__ void drop(const Controls* __restrict__ controls, const number* x, number* y, int samples) {
  long long index = threadIndex() * VECTOR;
  if (index >= (long long)samples * PIXELS * CHANNELS) return;
  float values[VECTOR];
  load(x + index, values);
  if (controls->learning) {
    unsigned sample = (unsigned)controls->firstSample + (unsigned)(index / (PIXELS * CHANNELS));
    int within = (int)(index % (PIXELS * CHANNELS));
    unsigned start = draw(*controls, sample, 0), stride = draw(*controls, sample, 1) | 1u;
#pragma unroll
    for (int i = 0; i < VECTOR; i++) {
      unsigned unit = (unsigned)((within + i) % CHANNELS * PIXELS + (within + i) / CHANNELS);
      values[i] = mix(start + unit * stride) < DROPPED ? 0.0f : values[i] * KEPT;
    }
  }
  store(y + index, values);
}

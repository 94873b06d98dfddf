// The paper's update (section 5) of all parameters: v = momentum v - decay rate w - rate g, w += v. One block a chunk.
#include "numbers.cuh"

// Neighbouring values of one parameter; update.ts writes it.
struct Chunk {
  long long offset;           // a multiple of 4
  int count;
  float rate, decay;          // factors of the step's
  int unused;
};

__device__ __forceinline__ void step(float& w, float& v, float g, float momentum, float shrink, float rate) {
  v = momentum * v - shrink * w - rate * g;
  w += v;
}

// loss: not finite, and nothing changes. copies: w as the layers read it, where that is not w itself.
extern "C" __global__ void update(const Controls* __restrict__ controls, const float* __restrict__ loss,
                                  const Chunk* __restrict__ chunks, float* __restrict__ w, float* __restrict__ v,
                                  const float* __restrict__ g, number* __restrict__ copies) {
  if (!isfinite(*loss)) return;
  Chunk chunk = chunks[blockIdx.x];
  float momentum = controls->momentum;
  float rate = controls->learningRate * chunk.rate;
  float shrink = controls->weightDecay * chunk.decay * rate;
  for (int i = 4 * threadIdx.x; i < chunk.count; i += 4 * blockDim.x) {
    long long at = chunk.offset + i;
    if (i + 4 <= chunk.count) {
      float values[4], speeds[4], gradients[4];
      load(w + at, values);
      load(v + at, speeds);
      load(g + at, gradients);
#pragma unroll
      for (int k = 0; k < 4; k++) step(values[k], speeds[k], gradients[k], momentum, shrink, rate);
      store(w + at, values);
      store(v + at, speeds);
#if BF16
      store(copies + at, values);
#endif
    } else {
      for (int k = 0; k < chunk.count - i; k++) {
        step(w[at + k], v[at + k], g[at + k], momentum, shrink, rate);
#if BF16
        put(copies[at + k], w[at + k]);
#endif
      }
    }
  }
}

// Between the formats of numbers.
#include "numbers.cuh"

extern "C" __global__ void narrow(const float* __restrict__ from, number* __restrict__ to, long long count) {
  long long index = threadIndex();
  if (index < count) put(to[index], from[index]);
}

extern "C" __global__ void widen(const number* __restrict__ from, float* __restrict__ to, long long count) {
  long long index = threadIndex();
  if (index < count) to[index] = wide(from[index]);
}

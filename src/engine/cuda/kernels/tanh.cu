// y = tanh(x), dx = dy (1 - tanh(x)^2), for `count` values.
#include "numbers.cuh"

extern "C" __global__ void forward(const number* __restrict__ x, number* __restrict__ y, int count) {
  long long index = threadIndex();
  if (index < count) put(y[index], tanhf(wide(x[index])));
}

extern "C" __global__ void backward(const number* __restrict__ x, const number* __restrict__ dy,
                                    number* __restrict__ dx, int count) {
  long long index = threadIndex();
  if (index >= count) return;
  float y = tanhf(wide(x[index]));
  put(dx[index], wide(dy[index]) * (1.0f - y * y));
}

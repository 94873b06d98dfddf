// What the matrix library's epilogue does, where it can't: adds a bias to each column, then max(0, …) if RECTIFY.
// y: COLUMNS values a row, rows STRIDE values apart. bias: (COLUMNS).
#include "numbers.cuh"

extern "C" __global__ void add(const number* __restrict__ bias, number* __restrict__ y, long long rows) {
  long long index = threadIndex();
  if (index >= rows * COLUMNS) return;
  int column = (int)(index % COLUMNS);
  number* at = y + index / COLUMNS * STRIDE + column;
  float value = wide(*at) + wide(bias[column]);
  put(*at, RECTIFY && value < 0.0f ? 0.0f : value);  // NaN passes
}

// Sums of a matrix's columns, in an order that never varies: first over slabs of rows, then over the slabs.
// matrix: (rows, COLUMNS). VECTOR divides COLUMNS: columns a thread. THREADS: a block's in `total`, a power of 2.
#include "numbers.cuh"

#define VECTORS (COLUMNS / VECTOR)

// partial: (slabs, COLUMNS)
extern "C" __global__ void slabs(const number* __restrict__ matrix, float* __restrict__ partial, long long rows,
                                 int slabs) {
  long long index = threadIndex();
  if (index >= (long long)slabs * VECTORS) return;
  int column = (int)(index % VECTORS) * VECTOR;
  long long slab = index / VECTORS;
  float sum[VECTOR] = {};
#pragma unroll 4
  for (long long row = slab; row < rows; row += slabs) {
    float values[VECTOR];
    load(matrix + row * COLUMNS + column, values);
#pragma unroll
    for (int i = 0; i < VECTOR; i++) sum[i] += values[i];
  }
  store(partial + slab * COLUMNS + column, sum);
}

// sums: (COLUMNS); one block a column.
extern "C" __global__ void total(const float* __restrict__ partial, float* __restrict__ sums, int slabs) {
  __shared__ float values[THREADS];
  float sum = 0.0f;
  for (int slab = threadIdx.x; slab < slabs; slab += THREADS) sum += partial[(long long)slab * COLUMNS + blockIdx.x];
  values[threadIdx.x] = sum;
  for (int half = THREADS / 2; half > 0; half /= 2) {
    __syncthreads();
    if (threadIdx.x < half) values[threadIdx.x] += values[threadIdx.x + half];
  }
  if (threadIdx.x == 0) sums[blockIdx.x] = values[0];
}

// Rectification, response normalisation across maps and maximum pooling, in this order, in one pass; each may be absent.
// x: (samples, HEIGHT, WIDTH, CHANNELS); y: (samples, OUT_HEIGHT, OUT_WIDTH, CHANNELS).
// RECTIFY, NORM, POOL: what there is. Windows of the norm end at the borders of GROUP channels.
// VECTOR divides GROUP: channels a thread.
#include "numbers.cuh"

#if NORM
#define AROUND RADIUS
#else
#define AROUND 0
#endif
#define VECTORS (CHANNELS / VECTOR)

// Which value of a window was the largest, row by row.
#if SIZE * SIZE <= 256
typedef unsigned char Place;
#else
typedef unsigned short Place;
#endif

__device__ __forceinline__ float rectified(float value) {
#if RECTIFY
  return value < 0.0f ? 0.0f : value;  // NaN passes
#else
  return value;
#endif
}

// sum^-BETA
__device__ __forceinline__ float power(float sum) {
#if NORM
  if (BETA == 0.75f) {
    float root = rsqrtf(sum);
    return root * sqrtf(root);
  }
  return powf(sum, -BETA);
#else
  return 1.0f;
#endif
}

// Channels `channel` - MORE to `channel` + VECTOR + MORE of one pixel; 0 outside of the group.
template <int MORE>
__device__ __forceinline__ void loadAround(const number* pixel, int channel, float (&values)[VECTOR + 2 * MORE]) {
  float middle[VECTOR];
  load(pixel + channel, middle);
  int first = channel / GROUP * GROUP;
#pragma unroll
  for (int i = 0; i < MORE; i++) {
    int before = channel - MORE + i, after = channel + VECTOR + i;
    values[i] = before >= first ? rectified(wide(pixel[before])) : 0.0f;
    values[MORE + VECTOR + i] = after < first + GROUP ? rectified(wide(pixel[after])) : 0.0f;
  }
#pragma unroll
  for (int i = 0; i < VECTOR; i++) values[MORE + i] = rectified(middle[i]);
}

#if NORM
// K + ALPHA times the sum of squares of the window that begins at `values`.
__device__ __forceinline__ float divisor(const float* values) {
  float sum = 0.0f;
#pragma unroll
  for (int i = 0; i <= 2 * RADIUS; i++) sum += values[i] * values[i];
  return K + ALPHA * sum;
}
#endif

__device__ __forceinline__ void normalised(const number* pixel, int channel, float (&values)[VECTOR]) {
  float around[VECTOR + 2 * AROUND];
  loadAround<AROUND>(pixel, channel, around);
#pragma unroll
  for (int i = 0; i < VECTOR; i++) {
    values[i] = around[AROUND + i];
#if NORM
    values[i] *= power(divisor(around + i));
#endif
  }
}

extern "C" __global__ void forward(const number* __restrict__ x, number* __restrict__ y, Place* __restrict__ places,
                                   int samples) {
  long long index = threadIndex();
  if (index >= (long long)samples * OUT_HEIGHT * OUT_WIDTH * VECTORS) return;
  int channel = (int)(index % VECTORS) * VECTOR;
  long long pixel = index / VECTORS;
  int column = (int)(pixel % OUT_WIDTH);
  int row = (int)(pixel / OUT_WIDTH % OUT_HEIGHT);
  long long sample = pixel / OUT_WIDTH / OUT_HEIGHT;
  const number* corner = x + ((sample * HEIGHT + row * STRIDE) * WIDTH + column * STRIDE) * CHANNELS;
  float most[VECTOR];
  normalised(corner, channel, most);
#if POOL
  Pack<Place, VECTOR> where = {};
#pragma unroll
  for (int place = 1; place < SIZE * SIZE; place++) {
    float values[VECTOR];
    normalised(corner + (place / SIZE * WIDTH + place % SIZE) * CHANNELS, channel, values);
#pragma unroll
    for (int i = 0; i < VECTOR; i++)
      if (values[i] > most[i] || values[i] != values[i]) {  // of equal ones the first; NaN passes
        most[i] = values[i];
        where.at[i] = (Place)place;
      }
  }
  *reinterpret_cast<Pack<Place, VECTOR>*>(places + pixel * CHANNELS + channel) = where;
#endif
  store(y + pixel * CHANNELS + channel, most);
}

// The gradient of the pool's input at one place, for channels `channel` - AROUND on; 0 outside of the group.
__device__ __forceinline__ void unpooled(const number* dy, const Place* places, long long sample, int row, int column,
                                         int channel, float (&values)[VECTOR + 2 * AROUND]) {
  int first = channel / GROUP * GROUP;
#if POOL
#pragma unroll
  for (int i = 0; i < VECTOR + 2 * AROUND; i++) values[i] = 0.0f;
  int top = row < SIZE ? 0 : (row - SIZE) / STRIDE + 1, left = column < SIZE ? 0 : (column - SIZE) / STRIDE + 1;
  for (int outRow = top; outRow <= row / STRIDE && outRow < OUT_HEIGHT; outRow++)
    for (int outColumn = left; outColumn <= column / STRIDE && outColumn < OUT_WIDTH; outColumn++) {
      int place = (row - outRow * STRIDE) * SIZE + column - outColumn * STRIDE;
      long long at = ((sample * OUT_HEIGHT + outRow) * OUT_WIDTH + outColumn) * CHANNELS;
      Pack<Place, VECTOR> where = *reinterpret_cast<const Pack<Place, VECTOR>*>(places + at + channel);
      float gradients[VECTOR];
      load(dy + at + channel, gradients);
#pragma unroll
      for (int i = 0; i < VECTOR; i++) values[AROUND + i] += where.at[i] == place ? gradients[i] : 0.0f;
#pragma unroll
      for (int i = 0; i < AROUND; i++) {
        int before = channel - AROUND + i, after = channel + VECTOR + i;
        if (before >= first && places[at + before] == place) values[i] += wide(dy[at + before]);
        if (after < first + GROUP && places[at + after] == place) values[AROUND + VECTOR + i] += wide(dy[at + after]);
      }
    }
#else
  long long at = ((sample * HEIGHT + row) * WIDTH + column) * CHANNELS;
#pragma unroll
  for (int i = 0; i < VECTOR + 2 * AROUND; i++) {
    int own = channel - AROUND + i;
    values[i] = own >= first && own < first + GROUP ? wide(dy[at + own]) : 0.0f;
  }
#endif
}

// dx_i = dy_i s_i^-BETA - 2 ALPHA BETA x_i sum_j dy_j x_j s_j^(-BETA - 1), where x was above 0 when rectified.
extern "C" __global__ void backward(const number* __restrict__ x, const number* __restrict__ dy,
                                    const Place* __restrict__ places, number* __restrict__ dx, int samples) {
  long long index = threadIndex();
  if (index >= (long long)samples * HEIGHT * WIDTH * VECTORS) return;
  int channel = (int)(index % VECTORS) * VECTOR;
  long long pixel = index / VECTORS;
  int column = (int)(pixel % WIDTH);
  int row = (int)(pixel / WIDTH % HEIGHT);
  long long sample = pixel / WIDTH / HEIGHT;
  float gradient[VECTOR + 2 * AROUND];
  unpooled(dy, places, sample, row, column, channel, gradient);
  float result[VECTOR];
#if NORM
  float around[VECTOR + 4 * AROUND];
  loadAround<2 * AROUND>(x + pixel * CHANNELS, channel, around);
  float product[VECTOR + 2 * AROUND];
#pragma unroll
  for (int j = 0; j < VECTOR + 2 * AROUND; j++) {
    float sum = divisor(around + j);
    gradient[j] *= power(sum);
    product[j] = gradient[j] * around[j + AROUND] / sum;
  }
#pragma unroll
  for (int i = 0; i < VECTOR; i++) {
    float sum = 0.0f;
#pragma unroll
    for (int j = 0; j <= 2 * AROUND; j++) sum += product[i + j];
    result[i] = gradient[i + AROUND] - 2.0f * ALPHA * BETA * around[i + 2 * AROUND] * sum;
  }
#else
#pragma unroll
  for (int i = 0; i < VECTOR; i++) result[i] = gradient[i];
#endif
#if RECTIFY
  float own[VECTOR];
  load(x + pixel * CHANNELS + channel, own);
#pragma unroll
  for (int i = 0; i < VECTOR; i++) result[i] = own[i] > 0.0f ? result[i] : 0.0f;
#endif
  store(dx + pixel * CHANNELS + channel, result);
}

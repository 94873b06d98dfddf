// The batch's views as the first layer reads them: (pixel + colour shift - mean) * scale, cropped, then mirrored.
// out: (batch, BLOCKS, BLOCKS, BLOCK, BLOCK, 3): squares of BLOCK x BLOCK pixels count as one with BLOCK^2 * 3 channels;
// BLOCK is 1 for plain pixels. PICTURE is the height and width of pictures. PADDING zeros lie before the view's first row and column; beyond its last are zeros too.
#include "numbers.cuh"

#define SIDE (BLOCKS * BLOCK)

struct View {
  int picture, top, left, mirrored;
  float shift[3];
  int unused;
};

// mean: (PICTURE, PICTURE, 3)
extern "C" __global__ void crop(const Controls* __restrict__ controls, const View* __restrict__ views,
                                const float* __restrict__ mean, number* __restrict__ out, int batch) {
  long long index = threadIndex();
  if (index >= (long long)batch * SIDE * SIDE) return;
  int sample = (int)(index / (SIDE * SIDE));
  int y = (int)(index / SIDE % SIDE), x = (int)(index % SIDE);
  int row = y - PADDING, column = x - PADDING;
  float values[3] = {0.0f, 0.0f, 0.0f};
  if (sample < controls->samples && row >= 0 && row < SIZE && column >= 0 && column < SIZE) {
    View view = views[sample];
    int at = ((view.top + row) * PICTURE + view.left + (view.mirrored ? SIZE - 1 - column : column)) * 3;
    const unsigned char* pixel = controls->pictures + (long long)view.picture * PICTURE * PICTURE * 3 + at;
    const float scale[3] = {SCALE_RED, SCALE_GREEN, SCALE_BLUE};
#pragma unroll
    for (int i = 0; i < 3; i++) values[i] = (pixel[i] + view.shift[i] - mean[at + i]) * scale[i];
  }
  long long square = ((long long)sample * BLOCKS + y / BLOCK) * BLOCKS + x / BLOCK;
  number* to = out + ((square * BLOCK + y % BLOCK) * BLOCK + x % BLOCK) * 3;
#pragma unroll
  for (int i = 0; i < 3; i++) put(to[i], values[i]);
}

// The format of activations and of the weights that multiply them: float, or the upper half of one (bfloat16).
// Arithmetic is always float.

struct bf16 {
  unsigned short bits;
};

#if BF16
typedef bf16 number;
#else
typedef float number;
#endif

__device__ __forceinline__ float wide(float value) { return value; }

__device__ __forceinline__ float wide(bf16 value) { return __uint_as_float((unsigned)value.bits << 16); }

__device__ __forceinline__ void put(float& to, float value) { to = value; }

// To the nearest, halves to even; NaN stays NaN.
__device__ __forceinline__ void put(bf16& to, float value) {
  unsigned bits = __float_as_uint(value);
  bool nan = (bits & 0x7fffffffu) > 0x7f800000u;
  to.bits = nan ? (bits >> 16) | 0x40u : (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
}

__device__ constexpr int least(int a, int b) { return a < b ? a : b; }

// N neighbours, read and written at once.
template <typename T, int N>
struct alignas(least(16, N * (int)sizeof(T))) Pack {
  T at[N];
};

template <typename T, int N>
__device__ __forceinline__ void load(const T* from, float (&values)[N]) {
  Pack<T, N> pack = *reinterpret_cast<const Pack<T, N>*>(from);
#pragma unroll
  for (int i = 0; i < N; i++) values[i] = wide(pack.at[i]);
}

template <typename T, int N>
__device__ __forceinline__ void store(T* to, const float (&values)[N]) {
  Pack<T, N> pack;
#pragma unroll
  for (int i = 0; i < N; i++) put(pack.at[i], values[i]);
  *reinterpret_cast<Pack<T, N>*>(to) = pack;
}

__device__ __forceinline__ long long threadIndex() { return (long long)blockIdx.x * blockDim.x + threadIdx.x; }

// What one step is told; step-inputs.ts writes it.
struct Controls {
  const unsigned char* pictures;  // (pictures, size, size, 3)
  int samples;                    // in the batch; the rest of the program's batch is zeros
  int learning;                   // 0 when predicting: nothing is dropped
  int seedLow, seedHigh;
  float learningRate, momentum, weightDecay;
  int divisor;                    // of sums of losses and gradients: samples of the whole batch
  int scoring;                    // 1: gradients are of the labels' logits less the mean of all, not of the loss
  int firstSample;                // the place of the first one here in the whole batch
};

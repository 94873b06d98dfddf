// CUDA C for the host: included before a kernel's source. No headers: it is compiled often.
#define __global__
#define __device__
#define __forceinline__ inline
#define __restrict__ __restrict
#define __shared__ static

struct Dimensions {
  unsigned x, y, z;
};
static Dimensions threadIdx, blockIdx, blockDim, gridDim;
static void (*barrier)();

extern "C" float sqrtf(float), powf(float, float), expf(float), tanhf(float), logf(float), fmaxf(float, float);
static inline float rsqrtf(float value) { return 1.0f / sqrtf(value); }
static inline bool isfinite(float value) { return __builtin_isfinite(value); }
static inline int min(int a, int b) { return a < b ? a : b; }
static inline int max(int a, int b) { return a > b ? a : b; }
static inline float __uint_as_float(unsigned bits) { return __builtin_bit_cast(float, bits); }
static inline unsigned __float_as_uint(float value) { return __builtin_bit_cast(unsigned, value); }
static inline void __syncthreads() { barrier(); }
static inline void __threadfence() {}
template <typename T>
static inline T __ldcg(const T* from) { return *from; }
static inline unsigned atomicAdd(unsigned* to, unsigned value) {
  unsigned before = *to;
  *to += value;
  return before;
}

// Calls of kernels by arrays of pointers to their arguments, which are numbers and pointers of up to 8 bytes.
template <int... I>
struct Indices {};
template <int N, int... I>
struct Count : Count<N - 1, N - 1, I...> {};
template <int... I>
struct Count<0, I...> {
  typedef Indices<I...> type;
};
template <typename... A, int... I>
static inline void callWith(void (*kernel)(A...), void** arguments, Indices<I...>) {
  kernel(*(A*)arguments[I]...);
}
template <typename... A>
static inline void call(void (*kernel)(A...), void** arguments) {
  callWith(kernel, arguments, typename Count<sizeof...(A)>::type());
}
template <typename... A>
static inline int sizes(void (*)(A...), int* to) {
  int all[] = {(int)sizeof(A)...};
  for (int i = 0; i < (int)sizeof...(A); i++) to[i] = all[i];
  return sizeof...(A);
}

extern "C" void emulator_enter(Dimensions thread, Dimensions block) {
  threadIdx = thread;
  blockIdx = block;
}
extern "C" void emulator_begin(Dimensions threads, Dimensions blocks, void (*ownBarrier)()) {
  blockDim = threads;
  gridDim = blocks;
  barrier = ownBarrier;
}

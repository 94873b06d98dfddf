// Softmax, cross-entropy, its gradient and the count of right answers, one block a sample.
// logits: (samples, CLASSES), float. THREADS: a block's, a power of 2.
#include "numbers.cuh"

struct Largest {
  __device__ float operator()(float a, float b) const { return fmaxf(a, b); }  // passes over NaN: the sum has it
};
struct Sum {
  template <typename T>
  __device__ T operator()(T a, T b) const {
    return a + b;
  }
};

// The threads' values put together, in an order that never varies; every thread gets the result.
template <typename T, typename Combine>
__device__ T reduce(T value, Combine combine) {
  __shared__ T values[THREADS];
  __syncthreads();
  values[threadIdx.x] = value;
  for (int half = THREADS / 2; half > 0; half /= 2) {
    __syncthreads();
    if (threadIdx.x < half) values[threadIdx.x] = combine(values[threadIdx.x], values[threadIdx.x + half]);
  }
  __syncthreads();
  return values[0];
}

struct Row {
  float largest, sum;  // of the logits; of exp(logit - largest)
};

__device__ Row measure(const float* row) {
  float largest = __uint_as_float(0xff800000u);  // -infinity
  for (int i = threadIdx.x; i < CLASSES; i += THREADS) largest = fmaxf(largest, row[i]);
  largest = reduce(largest, Largest());
  float sum = 0.0f;
  for (int i = threadIdx.x; i < CLASSES; i += THREADS) sum += expf(row[i] - largest);
  return {largest, reduce(sum, Sum())};
}

// probabilities: (samples, CLASSES)
extern "C" __global__ void softmax(const float* __restrict__ logits, float* __restrict__ probabilities) {
  long long start = (long long)blockIdx.x * CLASSES;
  Row row = measure(logits + start);
  for (int i = threadIdx.x; i < CLASSES; i += THREADS)
    probabilities[start + i] = expf(logits[start + i] - row.largest) / row.sum;
}

struct Result {
  float loss;  // the samples' sum by the divisor: their mean, where they are the whole batch
  int correct, correctTop5;
};

// dlogits: (batch, CLASSES): weight (softmax - one-hot) / divisor, or one-hot - 1 / CLASSES when scoring; zeros for
// samples the batch lacks.
// weights: (batch), of the samples' losses.
// losses, ranks: (batch): a sample's loss times its weight, and how many other logits are not below its label's.
// arrivals: 0; the last block to arrive sums up in `result` and makes it 0 again.
extern "C" __global__ void loss(const Controls* __restrict__ controls, const int* __restrict__ labels,
                                const float* __restrict__ weights, const float* __restrict__ logits,
                                number* __restrict__ dlogits, float* losses, int* ranks,
                                unsigned* arrivals, Result* result) {
  int samples = controls->samples;
  int sample = blockIdx.x;
  long long start = (long long)sample * CLASSES;
  const float* own = logits + start;
  if (sample < samples) {
    Row row = measure(own);
    int label = labels[sample];
    float weight = weights[sample];
    int rank = 0;
    for (int i = threadIdx.x; i < CLASSES; i += THREADS) {
      float probability = expf(own[i] - row.largest) / row.sum;
      float target = i == label ? 1.0f : 0.0f;
      put(dlogits[start + i],
          controls->scoring ? target - 1.0f / CLASSES : weight * (probability - target) / controls->divisor);
      if (i != label && !(own[i] < own[label])) rank++;  // NaN is never right
    }
    rank = reduce(rank, Sum());
    if (threadIdx.x == 0) {
      losses[sample] = weight * (row.largest + logf(row.sum) - own[label]);
      ranks[sample] = own[label] == own[label] ? rank : CLASSES;
    }
  } else {
    for (int i = threadIdx.x; i < CLASSES; i += THREADS) put(dlogits[start + i], 0.0f);
  }

  __shared__ bool last;
  if (threadIdx.x == 0) {
    __threadfence();
    last = atomicAdd(arrivals, 1u) == gridDim.x - 1;
    __threadfence();
  }
  __syncthreads();
  if (!last) return;
  double total = 0.0;
  int correct = 0, correctTop5 = 0;
  for (int i = threadIdx.x; i < samples; i += THREADS) {
    total += __ldcg(losses + i);
    int rank = __ldcg(ranks + i);
    correct += rank == 0;
    correctTop5 += rank < 5;
  }
  total = reduce(total, Sum());
  correct = reduce(correct, Sum());
  correctTop5 = reduce(correctTop5, Sum());
  if (threadIdx.x == 0) {
    *result = {(float)(total / controls->divisor), correct, correctTop5};
    *arrivals = 0;
  }
}

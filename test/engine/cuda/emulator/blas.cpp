// cuBLASLt's matrix product, column-major.
#include <cstdlib>

#include "emulator.h"

namespace {
enum { NOT_SUPPORTED = 15, BAD = 7, R_32F = 0, R_16BF = 14, TF32 = 77 };
enum { RELU_BIAS = 6, BIAS = 4, DEFAULT = 1, BGRADB = 512 };
const char ALGORITHM[64] = "the only algorithm of the emulator";

struct Layout {
  int type;
  uint64_t rows, columns;
  int64_t stride;
};
struct Operation {
  int compute, transposeA = 0, transposeB = 0, epilogue = DEFAULT, biasType = -1;
  void* bias = nullptr;
};
struct Preference {
  uint64_t workspace = 0;
  uint32_t alignment[4] = {256, 256, 256, 256};
};
struct Heuristic {
  char algorithm[64];
  size_t workspace;
  int state;
  float waves;
  int reserved[4];
};
static_assert(sizeof(Heuristic) == 96, "as in the headers");

// op(matrix) with the summed dimension innermost: (outer, inner).
std::vector<float> gathered(const Layout& layout, const void* data, bool innerIsRows, bool tf32) {
  uint64_t inner = innerIsRows ? layout.rows : layout.columns, outer = innerIsRows ? layout.columns : layout.rows;
  std::vector<float> values(inner * outer);
  Numbers numbers{(void*)data, layout.type == R_16BF, tf32};
  for (uint64_t o = 0; o < outer; o++)
    for (uint64_t i = 0; i < inner; i++)
      values[o * inner + i] = numbers.get(innerIsRows ? o * layout.stride + i : i * layout.stride + o);
  return values;
}

bool fits(const Operation& op, const Layout& a, const Layout& b, const Layout& d) {
  uint64_t m = op.transposeA ? a.columns : a.rows, k = op.transposeA ? a.rows : a.columns;
  uint64_t n = op.transposeB ? b.rows : b.columns, kb = op.transposeB ? b.columns : b.rows;
  for (const Layout* layout : {&a, &b, &d})
    if (layout->stride < (int64_t)layout->rows) return false;
  return k == kb && m == d.rows && n == d.columns && a.type == b.type;
}
}  // namespace

extern "C" {
const char* cublasLtGetStatusString(int status) {
  return status == NOT_SUPPORTED ? "CUBLAS_STATUS_NOT_SUPPORTED" : "CUBLAS_STATUS_INVALID_VALUE";
}
// A library that can do less is another: what was quickest is kept for each.
size_t cublasLtGetVersion() { return getenv("EMULATOR_NO_BIAS_GRADIENT") ? 110000 : 120000; }
int cublasLtCreate(void** out) { return *out = (void*)2, OK; }
int cublasLtDestroy(void*) { return OK; }

int cublasLtMatrixLayoutCreate(void** out, int type, uint64_t rows, uint64_t columns, int64_t stride) {
  *out = new Layout{type, rows, columns, stride};
  return OK;
}
int cublasLtMatrixLayoutDestroy(Layout* layout) { return delete layout, OK; }
int cublasLtMatmulDescCreate(void** out, int compute, int scale) {
  if (scale != R_32F) return BAD;
  *out = new Operation{compute};
  return OK;
}
int cublasLtMatmulDescDestroy(Operation* operation) { return delete operation, OK; }
int cublasLtMatmulDescSetAttribute(Operation* operation, int attribute, const void* value, size_t size) {
  auto take = [&](void* to, size_t expected) { return size == expected ? (memcpy(to, value, size), (int)OK) : (int)BAD; };
  switch (attribute) {
    case 3: return take(&operation->transposeA, 4);
    case 4: return take(&operation->transposeB, 4);
    case 7: return take(&operation->epilogue, 4);
    case 8: return take(&operation->bias, 8);
    case 26: return take(&operation->biasType, 4);
    default: return BAD;
  }
}
int cublasLtMatmulPreferenceCreate(void** out) { return *out = new Preference, OK; }
int cublasLtMatmulPreferenceDestroy(Preference* preference) { return delete preference, OK; }
int cublasLtMatmulPreferenceSetAttribute(Preference* preference, int attribute, const void* value, size_t size) {
  if (attribute == 1 && size == 8) return memcpy(&preference->workspace, value, 8), OK;
  if (attribute == 3 && size == 4) return *(const uint32_t*)value == 2 ? (int)OK : (int)BAD;
  if (attribute >= 5 && attribute <= 8 && size == 4) return memcpy(&preference->alignment[attribute - 5], value, 4), OK;
  return BAD;
}

int cublasLtMatmulAlgoGetHeuristic(void*, Operation* operation, Layout* a, Layout* b, Layout* c, Layout* d, Preference*,
                                   int, Heuristic* results, int* found) {
  *found = 0;
  if (c != d || !fits(*operation, *a, *b, *d)) return BAD;
  if (operation->epilogue == BGRADB && getenv("EMULATOR_NO_BIAS_GRADIENT")) return NOT_SUPPORTED;
  if ((operation->epilogue == BIAS || operation->epilogue == RELU_BIAS) && getenv("EMULATOR_NO_BIAS")) return NOT_SUPPORTED;
  memcpy(results->algorithm, ALGORITHM, 64);
  results->workspace = 0;
  results->state = OK;
  *found = 1;
  return OK;
}

int cublasLtMatmul(void*, Operation* operation, const float* alpha, const void* a, Layout* aLayout, const void* b,
                   Layout* bLayout, const float* beta, const void* c, Layout* cLayout, void* d, Layout* dLayout,
                   const char* algorithm, void* workspace, size_t, Stream* stream) {
  if (memcmp(algorithm, ALGORITHM, 64) != 0 || c != d || cLayout != dLayout || !workspace) return BAD;
  if (!fits(*operation, *aLayout, *bLayout, *dLayout)) return BAD;
  Operation op = *operation;
  Layout la = *aLayout, lb = *bLayout, ld = *dLayout;
  float scale = *alpha, keep = *beta, wrong = getenv("EMULATOR_WRONG") ? 1.1f : 1.0f;
  if (getenv("EMULATOR_SKIP_LARGE") && ld.rows * ld.columns > (1 << 22)) return OK;  // a yardstick: only its time counts
  enqueue(stream, [=] {
    std::vector<float> left = gathered(la, a, op.transposeA, op.compute == TF32);
    std::vector<float> right = gathered(lb, b, !op.transposeB, op.compute == TF32);
    uint64_t k = op.transposeA ? la.rows : la.columns;
    Numbers out{d, ld.type == R_16BF}, bias{op.bias, op.biasType == R_16BF};
    for (uint64_t j = 0; j < ld.columns; j++) {
      for (uint64_t i = 0; i < ld.rows; i++) {
        const float *x = &left[i * k], *y = &right[j * k];
        float sum = 0;
        for (uint64_t l = 0; l < k; l++) sum += x[l] * y[l];
        sum *= scale * wrong;
        if (keep != 0) sum += keep * out.get(j * ld.stride + i);
        if (op.epilogue == BIAS || op.epilogue == RELU_BIAS) sum += bias.get(i);
        out.set(j * ld.stride + i, op.epilogue == RELU_BIAS ? rectify(sum) : sum);
      }
      if (op.epilogue == BGRADB) {
        float sum = 0;
        for (uint64_t l = 0; l < k; l++) sum += right[j * k + l];
        bias.set(j, sum);
      }
    }
  });
  return OK;
}
}

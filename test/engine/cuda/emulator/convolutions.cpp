// cuDNN's convolutions over (batch, height, width, channels).
#include <cstdlib>

#include "emulator.h"

namespace {
enum { BAD = 2000, NOT_SUPPORTED = 3000, NHWC = 1, FLOAT = 0, BFLOAT16 = 9, CROSS_CORRELATION = 1, WORKSPACE = 4096, FMA = 3 };

struct Tensor {
  int type, n, c, h, w;
};
struct Filter {
  int type, k, c, h, w;
};
struct Convolution {
  int padding, stride, groups = 1, math = 0;
};
struct Activation {
  int mode;
};
struct Handle {
  Stream* stream = nullptr;
};

bool fits(const Tensor& x, const Filter& w, const Convolution& conv, const Tensor& y) {
  auto along = [&](int length, int size) { return (length + 2 * conv.padding - size) / conv.stride + 1; };
  return x.type == w.type && x.type == y.type && x.n == y.n && x.c == w.c * conv.groups && y.c == w.k &&
         w.k % conv.groups == 0 && y.h == along(x.h, w.h) && y.w == along(x.w, w.w);
}

// Calls visit(x, w, y) with the places of every product.
template <typename Visit>
void eachProduct(const Tensor& x, const Filter& w, const Convolution& conv, const Tensor& y, Visit visit) {
  int perGroup = w.k / conv.groups;
  for (int n = 0; n < y.n; n++)
    for (int row = 0; row < y.h; row++)
      for (int column = 0; column < y.w; column++)
        for (int k = 0; k < w.k; k++) {
          size_t out = (((size_t)n * y.h + row) * y.w + column) * y.c + k;
          for (int r = 0; r < w.h; r++)
            for (int s = 0; s < w.w; s++) {
              int xRow = row * conv.stride - conv.padding + r, xColumn = column * conv.stride - conv.padding + s;
              if (xRow < 0 || xRow >= x.h || xColumn < 0 || xColumn >= x.w) continue;
              size_t in = (((size_t)n * x.h + xRow) * x.w + xColumn) * x.c + k / perGroup * w.c;
              size_t tap = (((size_t)k * w.h + r) * w.w + s) * w.c;
              for (int c = 0; c < w.c; c++) visit(in + c, tap + c, out);
            }
        }
}

int workspaceOf(bool known, size_t* bytes) {
  *bytes = WORKSPACE;
  return known && !getenv("EMULATOR_NO_CONVOLUTIONS") ? (int)OK : (int)NOT_SUPPORTED;
}

std::vector<double> zeros(size_t count) { return std::vector<double>(count, 0.0); }
size_t count(const Tensor& t) { return (size_t)t.n * t.c * t.h * t.w; }
size_t count(const Filter& f) { return (size_t)f.k * f.c * f.h * f.w; }
}  // namespace

extern "C" {
const char* cudnnGetErrorString(int status) {
  return status == NOT_SUPPORTED ? "CUDNN_STATUS_NOT_SUPPORTED" : "CUDNN_STATUS_BAD_PARAM";
}
size_t cudnnGetVersion() { return 90000; }
int cudnnCreate(void** out) { return *out = new Handle, OK; }
int cudnnDestroy(Handle* handle) { return delete handle, OK; }
int cudnnSetStream(Handle* handle, Stream* stream) { return handle->stream = stream, OK; }

int cudnnCreateTensorDescriptor(void** out) { return *out = new Tensor, OK; }
int cudnnDestroyTensorDescriptor(Tensor* tensor) { return delete tensor, OK; }
int cudnnSetTensor4dDescriptor(Tensor* tensor, int format, int type, int n, int c, int h, int w) {
  if (format != NHWC || (type != FLOAT && type != BFLOAT16)) return BAD;
  *tensor = {type, n, c, h, w};
  return OK;
}
int cudnnCreateFilterDescriptor(void** out) { return *out = new Filter, OK; }
int cudnnDestroyFilterDescriptor(Filter* filter) { return delete filter, OK; }
int cudnnSetFilter4dDescriptor(Filter* filter, int type, int format, int k, int c, int h, int w) {
  if (format != NHWC) return BAD;
  *filter = {type, k, c, h, w};
  return OK;
}
int cudnnCreateConvolutionDescriptor(void** out) { return *out = new Convolution, OK; }
int cudnnDestroyConvolutionDescriptor(Convolution* convolution) { return delete convolution, OK; }
int cudnnSetConvolution2dDescriptor(Convolution* conv, int padH, int padW, int u, int v, int dilationH, int dilationW,
                                    int mode, int type) {
  if (padH != padW || u != v || dilationH != 1 || dilationW != 1 || mode != CROSS_CORRELATION || type != FLOAT) return BAD;
  conv->padding = padH;
  conv->stride = u;
  return OK;
}
// Whether 1, which asks for matrix units without conversions, gives TF32 is not said anywhere: not to be relied on.
int cudnnSetConvolutionMathType(Convolution* conv, int math) {
  return math == 0 || math == FMA ? (conv->math = math, (int)OK) : (int)BAD;
}
int cudnnSetConvolutionGroupCount(Convolution* conv, int groups) { return conv->groups = groups, OK; }
int cudnnCreateActivationDescriptor(void** out) { return *out = new Activation, OK; }
int cudnnDestroyActivationDescriptor(Activation* activation) { return delete activation, OK; }
int cudnnSetActivationDescriptor(Activation* activation, int mode, int propagation, double) {
  activation->mode = mode;
  return propagation == 1 && (mode == 1 || mode == 5) ? (int)OK : (int)BAD;
}

int cudnnGetConvolutionForwardWorkspaceSize(Handle*, Tensor* x, Filter* w, Convolution* conv, Tensor* y, int algorithm,
                                            size_t* bytes) {
  return workspaceOf(algorithm == 1 && fits(*x, *w, *conv, *y), bytes);
}
int cudnnGetConvolutionBackwardDataWorkspaceSize(Handle*, Filter* w, Tensor* dy, Convolution* conv, Tensor* dx,
                                                 int algorithm, size_t* bytes) {
  return workspaceOf(algorithm == 1 && fits(*dx, *w, *conv, *dy), bytes);
}
int cudnnGetConvolutionBackwardFilterWorkspaceSize(Handle*, Tensor* x, Tensor* dy, Convolution* conv, Filter* dw,
                                                   int algorithm, size_t* bytes) {
  return workspaceOf(algorithm == 1 && fits(*x, *dw, *conv, *dy), bytes);
}

int cudnnConvolutionBiasActivationForward(Handle* handle, const float* alpha, Tensor* xd, const void* x, Filter* wd,
                                          const void* w, Convolution* cd, int algorithm, void* workspace, size_t bytes,
                                          const float* beta, Tensor* zd, const void* z, Tensor* bd, const void* bias,
                                          Activation* activation, Tensor* yd, void* y) {
  if (!fits(*xd, *wd, *cd, *yd) || algorithm != 1 || !workspace || bytes < WORKSPACE) return BAD;
  if (*alpha != 1 || *beta != 0 || zd != yd || z != y || bd->c != yd->c) return BAD;
  Tensor xs = *xd, ys = *yd;
  Filter ws = *wd;
  Convolution conv = *cd;
  bool relu = activation->mode == 1;
  enqueue(handle->stream, [=] {
    Numbers xn{(void*)x, xs.type == BFLOAT16, conv.math != FMA}, wn{(void*)w, xn.bf16, xn.tf32};
    Numbers bn{(void*)bias, xn.bf16}, yn{y, xn.bf16};
    std::vector<double> sums = zeros(count(ys));
    eachProduct(xs, ws, conv, ys, [&](size_t i, size_t t, size_t o) { sums[o] += (double)xn.get(i) * wn.get(t); });
    for (size_t o = 0; o < sums.size(); o++) {
      float value = (float)(sums[o] + bn.get(o % ys.c));
      yn.set(o, relu ? rectify(value) : value);
    }
  });
  return OK;
}

int cudnnConvolutionBackwardData(Handle* handle, const float* alpha, Filter* wd, const void* w, Tensor* dyd,
                                 const void* dy, Convolution* cd, int algorithm, void* workspace, size_t bytes,
                                 const float* beta, Tensor* dxd, void* dx) {
  if (!fits(*dxd, *wd, *cd, *dyd) || algorithm != 1 || !workspace || bytes < WORKSPACE) return BAD;
  if (*alpha != 1 || *beta != 0) return BAD;
  Tensor xs = *dxd, ys = *dyd;
  Filter ws = *wd;
  Convolution conv = *cd;
  enqueue(handle->stream, [=] {
    Numbers xn{dx, xs.type == BFLOAT16}, wn{(void*)w, xn.bf16, conv.math != FMA}, yn{(void*)dy, xn.bf16, wn.tf32};
    std::vector<double> sums = zeros(count(xs));
    eachProduct(xs, ws, conv, ys, [&](size_t i, size_t t, size_t o) { sums[i] += (double)yn.get(o) * wn.get(t); });
    for (size_t i = 0; i < sums.size(); i++) xn.set(i, (float)sums[i]);
  });
  return OK;
}

int cudnnConvolutionBackwardFilter(Handle* handle, const float* alpha, Tensor* xd, const void* x, Tensor* dyd,
                                   const void* dy, Convolution* cd, int algorithm, void* workspace, size_t bytes,
                                   const float* beta, Filter* dwd, void* dw) {
  if (!fits(*xd, *dwd, *cd, *dyd) || algorithm != 1 || !workspace || bytes < WORKSPACE) return BAD;
  if (*alpha != 1 || *beta != 0) return BAD;
  Tensor xs = *xd, ys = *dyd;
  Filter ws = *dwd;
  Convolution conv = *cd;
  enqueue(handle->stream, [=] {
    Numbers xn{(void*)x, xs.type == BFLOAT16, conv.math != FMA}, wn{dw, xn.bf16}, yn{(void*)dy, xn.bf16, xn.tf32};
    std::vector<double> sums = zeros(count(ws));
    eachProduct(xs, ws, conv, ys, [&](size_t i, size_t t, size_t o) { sums[t] += (double)xn.get(i) * yn.get(o); });
    for (size_t t = 0; t < sums.size(); t++) wn.set(t, (float)sums[t]);
  });
  return OK;
}
}

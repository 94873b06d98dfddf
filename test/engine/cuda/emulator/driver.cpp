// NVIDIA's driver with one device, whose memory is the host's.
#include <dlfcn.h>
#include <ucontext.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "emulator.h"

namespace {
constexpr size_t STACK = 64 << 10;

struct Dimensions {
  unsigned x, y, z;
};

struct Graph {
  std::deque<Work> work;
};
// Happens when its stream has done what was put on it before.
struct Event {
  Stream* stream = nullptr;
  uint64_t place = 0;
  bool timed = false;
  std::chrono::steady_clock::time_point recorded;
};
struct Module {
  void* library;
};
struct Function {
  void (*call)(void**);
  void (*enter)(Dimensions, Dimensions);
  void (*begin)(Dimensions, Dimensions, void (*)());
  std::vector<int> sizes;
  bool barriers;
};

int streamsCapturing = 0;
std::set<Stream*> streams;
std::map<char*, size_t> allocations, pinned;
size_t totalBytes() {
  const char* own = getenv("EMULATOR_BYTES");
  return own ? strtoull(own, nullptr, 10) : (size_t)16 << 30;
}
size_t usedBytes() {
  size_t sum = 0;
  for (auto& [at, bytes] : allocations) sum += bytes;
  return sum;
}

void drain(Stream* stream, uint64_t place = UINT64_MAX) {
  while (stream->done < place && !stream->queue.empty()) {
    Work work = std::move(stream->queue.front());
    stream->queue.pop_front();
    work();
    stream->done++;
  }
}
// Appends what programs do to the file that EMULATOR_TRACE names.
void trace(const char* what) {
  const char* path = getenv("EMULATOR_TRACE");
  if (path == nullptr) return;
  FILE* file = fopen(path, "a");
  fprintf(file, "%s\n", what);
  fclose(file);
}
bool hasHappened(const Event& event) { return event.stream == nullptr || event.stream->done >= event.place; }
void drainAll() {
  for (Stream* stream : streams) drain(stream);
}

bool isPinned(const void* address, size_t bytes) {
  auto after = pinned.upper_bound((char*)address);
  if (after == pinned.begin()) return false;
  auto [start, length] = *--after;
  return (char*)address + bytes <= start + length;
}

// The device may only touch memory it has.
bool isOnDevice(uint64_t address, size_t bytes) {
  auto after = allocations.upper_bound((char*)address);
  if (after == allocations.begin()) return false;
  auto [start, length] = *--after;
  return (char*)address + bytes <= start + length;
}

// --- threads of kernels with barriers ---

ucontext_t scheduler;
std::vector<ucontext_t> threads;
std::vector<bool> finished;
std::vector<char> stacks;
unsigned running;
const Function* current;
void** currentArguments;

void yieldToScheduler() { swapcontext(&threads[running], &scheduler); }
void threadMain() {
  current->call(currentArguments);
  finished[running] = true;
  yieldToScheduler();
}

void runBlock(const Function& function, void** arguments, unsigned count, Dimensions block) {
  if (!function.barriers) {
    for (unsigned i = 0; i < count; i++) {
      function.enter({i, 0, 0}, block);
      function.call(arguments);
    }
    return;
  }
  current = &function;
  currentArguments = arguments;
  threads.resize(count);
  finished.assign(count, false);
  stacks.resize(count * STACK);
  for (unsigned i = 0; i < count; i++) {
    getcontext(&threads[i]);
    threads[i].uc_stack.ss_sp = stacks.data() + i * STACK;
    threads[i].uc_stack.ss_size = STACK;
    threads[i].uc_link = nullptr;
    makecontext(&threads[i], threadMain, 0);
  }
  for (bool any = true; any;) {  // to the next barrier, or the end
    any = false;
    for (unsigned i = 0; i < count; i++) {
      if (finished[i]) continue;
      running = i;
      function.enter({i, 0, 0}, block);
      swapcontext(&scheduler, &threads[i]);
      any = true;
    }
  }
}
}  // namespace

void enqueue(Stream* stream, Work work) {
  stream->queue.push_back(std::move(work));
  if (stream->capturing) return;
  stream->enqueued++;
  if (stream->eager) drain(stream);
}

#define REFUSE_WHILE_CAPTURING \
  if (streamsCapturing) return CAPTURING

extern "C" {
int cuGetErrorName(int status, const char** out) {
  *out = status == OUT_OF_MEMORY ? "CUDA_ERROR_OUT_OF_MEMORY" : status == CAPTURING ? "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED" : "CUDA_ERROR_INVALID_VALUE";
  return OK;
}
int cuGetErrorString(int status, const char** out) {
  *out = status == OUT_OF_MEMORY ? "out of memory" : "refused by the emulator";
  return OK;
}

int cuInit(unsigned) { return OK; }
int cuDriverGetVersion(int* out) { return *out = 12000, OK; }
int cuDeviceGetCount(int* out) { return *out = getenv("EMULATOR_NO_DEVICE") ? 0 : 1, OK; }
int cuDeviceGet(int* out, int) { return *out = 0, OK; }
int cuDeviceGetName(char* out, int length, int) { return snprintf(out, length, "Emulator"), OK; }
int cuDeviceTotalMem_v2(size_t* out, int) { return *out = totalBytes(), OK; }
int cuDeviceGetAttribute(int* out, int which, int) {
  const char* major = getenv("EMULATOR_MAJOR");
  *out = which == 75 ? (major ? atoi(major) : 9) : which == 16 ? 4 : 0;
  return OK;
}
int cuDevicePrimaryCtxRetain(void** out, int) { return *out = (void*)1, OK; }
int cuDevicePrimaryCtxRelease_v2(int) { return OK; }
int cuCtxSetCurrent(void*) { return OK; }

int cuMemGetInfo_v2(size_t* free, size_t* total) {
  *total = totalBytes();
  *free = *total - usedBytes();
  return OK;
}
int cuMemAlloc_v2(uint64_t* out, size_t bytes) {
  REFUSE_WHILE_CAPTURING;
  if (usedBytes() + bytes > totalBytes()) return OUT_OF_MEMORY;
  void* memory = nullptr;
  if (posix_memalign(&memory, 256, bytes) != 0) return OUT_OF_MEMORY;
  memset(memory, 0xff, bytes);  // NaN
  allocations[(char*)memory] = bytes;
  *out = (uint64_t)memory;
  return OK;
}
int cuMemFree_v2(uint64_t address) {
  REFUSE_WHILE_CAPTURING;
  drainAll();
  if (!allocations.erase((char*)address)) return INVALID;
  free((void*)address);
  return OK;
}
int cuMemHostAlloc(void** out, size_t bytes, unsigned) {
  REFUSE_WHILE_CAPTURING;
  *out = aligned_alloc(64, (bytes + 63) / 64 * 64);
  pinned[(char*)*out] = bytes;
  return OK;
}
int cuMemFreeHost(void* address) {
  drainAll();
  if (!pinned.erase((char*)address)) return INVALID;
  free(address);
  return OK;
}
int cuMemHostRegister_v2(void* address, size_t bytes, unsigned) {
  REFUSE_WHILE_CAPTURING;
  if (pinned.count((char*)address)) return 712;
  pinned[(char*)address] = bytes;
  return OK;
}
int cuMemHostUnregister(void* address) { return pinned.erase((char*)address) ? OK : INVALID; }

int cuMemcpyHtoDAsync_v2(uint64_t to, const void* from, size_t bytes, Stream* stream) {
  if (!isOnDevice(to, bytes)) return INVALID;
  if (isPinned(from, bytes)) {
    if (!stream->capturing) trace("bring");
    enqueue(stream, [=] { memcpy((void*)to, from, bytes); });
    return OK;
  }
  if (stream->capturing) return CAPTURING;
  auto staged = std::make_shared<std::vector<char>>((const char*)from, (const char*)from + bytes);
  enqueue(stream, [=] { memcpy((void*)to, staged->data(), bytes); });
  return OK;
}
int cuMemcpyDtoHAsync_v2(void* to, uint64_t from, size_t bytes, Stream* stream) {
  if (!isOnDevice(from, bytes)) return INVALID;
  enqueue(stream, [=] { memcpy(to, (void*)from, bytes); });
  return OK;
}
int cuMemcpyDtoDAsync_v2(uint64_t to, uint64_t from, size_t bytes, Stream* stream) {
  if (!isOnDevice(to, bytes) || !isOnDevice(from, bytes)) return INVALID;
  enqueue(stream, [=] { memcpy((void*)to, (void*)from, bytes); });
  return OK;
}
int cuMemsetD8Async(uint64_t to, unsigned char value, size_t bytes, Stream* stream) {
  if (!isOnDevice(to, bytes)) return INVALID;
  enqueue(stream, [=] { memset((void*)to, value, bytes); });
  return OK;
}

// With EMULATOR_EAGER_COPIES all streams but the first do their work at once: as early as a device may.
int cuStreamCreate(void** out, unsigned) {
  Stream* stream = new Stream;
  stream->eager = !streams.empty() && getenv("EMULATOR_EAGER_COPIES");
  streams.insert(stream);
  *out = stream;
  return OK;
}
int cuStreamSynchronize(Stream* stream) {
  REFUSE_WHILE_CAPTURING;
  drain(stream);
  return OK;
}
int cuStreamDestroy_v2(Stream* stream) {
  drain(stream);
  streams.erase(stream);
  delete stream;
  return OK;
}
int cuStreamBeginCapture_v2(Stream* stream, int) {
  drain(stream);
  stream->capturing = true;
  streamsCapturing++;
  return OK;
}
int cuStreamEndCapture(Stream* stream, void** out) {
  if (!stream->capturing) return INVALID;
  stream->capturing = false;
  streamsCapturing--;
  Graph* graph = new Graph;
  graph->work.swap(stream->queue);
  *out = graph;
  return OK;
}
int cuGraphInstantiateWithFlags(void** out, Graph* graph, unsigned long long) {
  *out = new Graph(*graph);
  return OK;
}
int cuGraphLaunch(Graph* graph, Stream* stream) {
  trace("launch");
  for (Work& work : graph->work) enqueue(stream, work);
  return OK;
}
int cuGraphDestroy(Graph* graph) { return delete graph, OK; }
int cuGraphExecDestroy(Graph* graph) { return delete graph, OK; }

int cuEventCreate(void** out, unsigned flags) {
  Event* event = new Event;
  event->timed = !(flags & 2);
  *out = event;
  return OK;
}
int cuEventDestroy_v2(Event* event) { return delete event, OK; }
int cuEventRecord(Event* event, Stream* stream) {
  REFUSE_WHILE_CAPTURING;
  event->stream = stream;
  event->place = stream->enqueued;
  event->recorded = std::chrono::steady_clock::now();
  return OK;
}
int cuEventRecordWithFlags(Event* event, Stream* stream, unsigned flags) {
  if (flags != 1 || !stream->capturing) return INVALID;
  enqueue(stream, [=] {
    event->stream = stream;
    event->place = 0;
  });
  return OK;
}
int cuStreamWaitEvent(Stream* stream, Event* event, unsigned) {
  Event then = *event;
  if (then.stream) enqueue(stream, [=] { drain(then.stream, then.place); });
  return OK;
}
int cuEventSynchronize(Event* event) {
  REFUSE_WHILE_CAPTURING;
  if (event->stream) drain(event->stream, event->place);
  return OK;
}
// Where nobody waits, what was put on a stream is done after EMULATOR_MILLISECONDS: something else may come meanwhile.
int cuEventQuery(Event* event) {
  REFUSE_WHILE_CAPTURING;
  const char* milliseconds = getenv("EMULATOR_MILLISECONDS");
  auto due = event->recorded + std::chrono::milliseconds(milliseconds ? atoi(milliseconds) : 1);
  if (!hasHappened(*event) && std::chrono::steady_clock::now() >= due) drain(event->stream, event->place);
  if (!hasHappened(*event)) return NOT_READY;
  trace("done");
  return OK;
}
// All things take as long, so that the first of several ways is chosen.
int cuEventElapsedTime(float* out, Event* from, Event* to) {
  if (!from->stream || !to->stream || !from->timed || !to->timed) return INVALID;
  if (!hasHappened(*from) || !hasHappened(*to)) return NOT_READY;
  return *out = 1.0f, OK;
}

int cuModuleLoadData(void** out, const char* image) {
  REFUSE_WHILE_CAPTURING;
  uint64_t length;
  memcpy(&length, image, 8);
  char path[] = "/tmp/alexnet-emulator-XXXXXX";  // the loader takes libraries of one name for the same
  int file = mkstemp(path);
  bool whole = write(file, image + 8, length) == (ssize_t)length;
  close(file);
  void* library = whole ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : nullptr;
  unlink(path);
  if (library == nullptr) return fprintf(stderr, "emulator: %s\n", dlerror()), 200;
  *out = new Module{library};
  return OK;
}
int cuModuleGetFunction(void** out, Module* module, const char* name) {
  auto find = [&](const std::string& symbol) { return dlsym(module->library, symbol.c_str()); };
  Function* function = new Function;
  function->call = (void (*)(void**))find(std::string("call_") + name);
  if (function->call == nullptr) return 500;
  function->enter = (void (*)(Dimensions, Dimensions))find("emulator_enter");
  function->begin = (void (*)(Dimensions, Dimensions, void (*)()))find("emulator_begin");
  function->barriers = *(int*)find("emulator_barriers") != 0;
  int sizes[32];
  int count = ((int (*)(int*))find(std::string("sizes_") + name))(sizes);
  function->sizes.assign(sizes, sizes + count);
  *out = function;
  return OK;
}
int cuModuleUnload(Module* module) {
  dlclose(module->library);
  delete module;
  return OK;
}

int cuLaunchKernel(Function* function, unsigned blocks, unsigned by, unsigned bz, unsigned count, unsigned ty,
                   unsigned tz, unsigned, Stream* stream, void** parameters, void** extra) {
  if (blocks == 0 || by != 1 || bz != 1 || count == 0 || count > 1024 || ty != 1 || tz != 1 || extra) return INVALID;
  auto values = std::make_shared<std::vector<uint64_t>>();
  for (size_t i = 0; i < function->sizes.size(); i++) {
    uint64_t value = 0;
    memcpy(&value, parameters[i], function->sizes[i]);
    values->push_back(value);
  }
  enqueue(stream, [=] {
    std::vector<void*> arguments;
    for (uint64_t& value : *values) arguments.push_back(&value);
    function->begin({count, 1, 1}, {blocks, 1, 1}, yieldToScheduler);
    for (unsigned block = 0; block < blocks; block++) runBlock(*function, arguments.data(), count, {block, 0, 0});
  });
  return OK;
}
}

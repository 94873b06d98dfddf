// NVRTC: compiles for the host. An image is the length of a shared library and its bytes.
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <regex>
#include <sstream>
#include <string>

#include "emulator.h"

namespace {
struct Program {
  std::string source, log, image;
  std::vector<std::pair<std::string, std::string>> headers;
};

std::string contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

void write(const std::string& path, const std::string& text) { std::ofstream(path, std::ios::binary) << text; }

// What the driver calls for each kernel of the source.
std::string entries(const std::string& source) {
  std::string text = "\nextern \"C\" int emulator_barriers = " +
                     std::string(source.find("__syncthreads") != std::string::npos ? "1" : "0") + ";\n";
  std::regex kernel("extern \"C\" __global__ void (\\w+)\\(");
  for (std::sregex_iterator it(source.begin(), source.end(), kernel), end; it != end; ++it) {
    std::string name = (*it)[1];
    text += "extern \"C\" void call_" + name + "(void** p) { call(" + name + ", p); }\n";
    text += "extern \"C\" int sizes_" + name + "(int* to) { return sizes(" + name + ", to); }\n";
  }
  return text;
}

int copyOut(const std::string& text, char* to) {
  memcpy(to, text.data(), text.size());
  return OK;
}
}  // namespace

extern "C" {
const char* nvrtcGetErrorString(int status) { return status == 6 ? "NVRTC_ERROR_COMPILATION" : "NVRTC_ERROR"; }

int nvrtcVersion(int* major, int* minor) {
  *major = 12;
  *minor = 0;
  return OK;
}

int nvrtcGetNumSupportedArchs(int* count) { return *count = 3, OK; }
int nvrtcGetSupportedArchs(int* to) { return to[0] = 80, to[1] = 86, to[2] = 90, OK; }

int nvrtcCreateProgram(void** out, const char* source, const char*, int count, const char* const* headers,
                       const char* const* names) {
  Program* program = new Program{source, "", "", {}};
  for (int i = 0; i < count; i++) program->headers.push_back({names[i], headers[i]});
  *out = program;
  return OK;
}

int nvrtcCompileProgram(void* handle, int count, const char* const* options) {
  Program* program = (Program*)handle;
  char folder[] = "/tmp/alexnet-emulator-XXXXXX";
  if (mkdtemp(folder) == nullptr) return INVALID;
  std::string at = folder;
  for (auto& [name, text] : program->headers) write(at + "/" + name, text);
  write(at + "/kernel.cpp", program->source + entries(program->source));
  std::string command = "g++ -std=c++17 -O1 -w -fPIC -shared -fno-strict-aliasing -include " EMULATOR_FOLDER "/kernel.h -I" + at;
  for (int i = 0; i < count; i++)
    if (strncmp(options[i], "-D", 2) == 0) command += " '" + std::string(options[i]) + "'";
  command += " -o " + at + "/kernel.so " + at + "/kernel.cpp >" + at + "/log 2>&1";
  int failed = system(command.c_str());
  program->log = contents(at + "/log");
  std::string library = contents(at + "/kernel.so");
  uint64_t length = library.size();
  program->image = std::string((char*)&length, 8) + library;
  system(("rm -r " + at).c_str());
  return failed ? 6 : OK;
}

int nvrtcGetCUBINSize(void* program, size_t* size) {
  *size = ((Program*)program)->image.size();
  return OK;
}
int nvrtcGetCUBIN(void* program, char* to) { return copyOut(((Program*)program)->image, to); }
int nvrtcGetProgramLogSize(void* program, size_t* size) {
  *size = ((Program*)program)->log.size() + 1;
  return OK;
}
int nvrtcGetProgramLog(void* program, char* to) {
  to[((Program*)program)->log.size()] = 0;
  return copyOut(((Program*)program)->log, to);
}
int nvrtcDestroyProgram(void** program) {
  delete (Program*)*program;
  *program = nullptr;
  return OK;
}
}

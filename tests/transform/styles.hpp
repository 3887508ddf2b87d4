// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "transform/programs.hpp"

namespace cuco::testing {

inline std::vector<Style> accepted_styles() {
  std::vector<Style> out;
  out.push_back({"plain", plain_sum()});
  out.push_back(
      {"pointer_to_structure",
       sum_program("struct Buffers { float* send; float* recv; };\n",
                   "  Buffers storage; Buffers* b = &storage;\n"
                   "  CUDA_CHECK(cudaMalloc((void**)&b->send, n * sizeof(float)));\n"
                   "  CUDA_CHECK(cudaMalloc((void**)&b->recv, n * sizeof(float)));\n",
                   "    NCCL_CHECK(ncclAllReduce(b->send, b->recv, n, ncclFloat, ncclSum, comm, stream));\n",
                   "  cudaFree(b->send);\n  cudaFree(b->recv);\n",
                   "b->send",
                   "b->recv")});
  out.push_back(
      {"helper_function",
       sum_program(
           "static void exchange(const float* s, float* r, size_t n, ncclComm_t c, cudaStream_t st) {\n"
           "  NCCL_CHECK(ncclAllReduce(s, r, n, ncclFloat, ncclSum, c, st));\n}\n",
           kPlainAllocate,
           "    exchange(in, out, n, comm, stream);\n",
           kPlainFree)});
  out.push_back(
      {"helper_with_two_callers",
       sum_program(
           "static void exchange(const float* s, float* r, size_t n, ncclComm_t c, cudaStream_t st) {\n"
           "  NCCL_CHECK(ncclAllReduce(s, r, n, ncclFloat, ncclSum, c, st));\n}\n",
           "  float *in, *out, *in2, *out2;\n  CUDA_CHECK(cudaMalloc(&in, n * sizeof(float)));\n"
           "  CUDA_CHECK(cudaMalloc(&out, n * sizeof(float)));\n  CUDA_CHECK(cudaMalloc(&in2, n * "
           "sizeof(float)));\n"
           "  CUDA_CHECK(cudaMalloc(&out2, n * sizeof(float)));\n  CUDA_CHECK(cudaMemset(in2, 0, n * "
           "sizeof(float)));\n",
           "    exchange(in2, out2, n, comm, stream);\n    exchange(in, out, n, comm, stream);\n",
           "  cudaFree(in); cudaFree(out); cudaFree(in2); cudaFree(out2);\n")});
  out.push_back(
      {"macros_and_many_lines",
       sum_program("#define TYPE ncclFloat\nstatic const ncclRedOp_t kOp = ncclSum;\n",
                   kPlainAllocate,
                   "    NCCL_CHECK(\n        ncclAllReduce(in,   // from here\n                      out, /* "
                   "to there */ n,\n"
                   "                      TYPE, kOp,\n                      comm, stream)\n    );\n",
                   kPlainFree)});
  out.push_back(
      {"status_variable",
       sum_program("",
                   kPlainAllocate,
                   "    ncclResult_t status = ncclAllReduce(in, out, n, ncclFloat, ncclSum, comm, stream);\n"
                   "    if (status != ncclSuccess) return 3;\n",
                   kPlainFree)});
  out.push_back(
      {"class_with_members",
       sum_program("class Engine {\n public:\n  Engine(size_t n, ncclComm_t c) : n_(n), comm_(c) {\n"
                   "    CUDA_CHECK(cudaMalloc(&send_, n_ * sizeof(float)));\n    "
                   "CUDA_CHECK(cudaMalloc(&recv_, n_ * sizeof(float)));\n  }\n"
                   "  ~Engine() {\n    cudaFree(send_);\n    cudaFree(recv_);\n  }\n"
                   "  void run(cudaStream_t s) { NCCL_CHECK(ncclAllReduce(send_, recv_, n_, ncclFloat, "
                   "ncclSum, comm_, s)); }\n"
                   "  float* send_ = nullptr;\n  float* recv_ = nullptr;\n\n private:\n  size_t n_;\n  "
                   "ncclComm_t comm_;\n};\n",
                   "  Engine* engine = new Engine(n, comm);\n",
                   "    engine->run(stream);\n",
                   "  delete engine;\n",
                   "engine->send_",
                   "engine->recv_")});
  out.push_back({"allocation_helper",
                 sum_program("static float* make(size_t n) {\n  float* p = nullptr;\n  "
                             "CUDA_CHECK(cudaMalloc(&p, n * sizeof(float)));\n  return p;\n}\n",
                             "  float* in = make(n);\n  float* out = make(n);\n",
                             kPlainSum,
                             kPlainFree)});
  out.push_back({"in_place",
                 sum_program("",
                             "  float* x;\n  CUDA_CHECK(cudaMalloc(&x, n * sizeof(float)));\n",
                             "    NCCL_CHECK(ncclAllReduce(x, x, n, ncclFloat, ncclSum, comm, stream));\n",
                             "  cudaFree(x);\n",
                             "x",
                             "x")});
  out.push_back({"misaligned_parts_of_one_allocation",
                 sum_program("",
                             "  float* pool;\n  CUDA_CHECK(cudaMalloc(&pool, 4 * n * sizeof(float)));\n"
                             "  float* in = pool + 1;\n  float* out = pool + 2 * n + 3;\n",
                             kPlainSum,
                             "  CUDA_CHECK(cudaFree(pool));\n")});
  out.push_back({"swapped_buffers",
                 sum_program("",
                             kPlainAllocate,
                             "    NCCL_CHECK(ncclAllReduce(in, out, n, ncclFloat, ncclSum, comm, stream));\n"
                             "    NCCL_CHECK(ncclAllReduce(in, out, n, ncclFloat, ncclSum, comm, stream));\n",
                             "  std::swap(in, out);\n" + std::string(kPlainFree))});
  out.push_back(
      {"two_streams",
       sum_program(
           "",
           std::string(kPlainAllocate) +
               "  cudaStream_t other;\n  CUDA_CHECK(cudaStreamCreate(&other));\n  float *in2, *out2;\n"
               "  CUDA_CHECK(cudaMalloc(&in2, n * sizeof(float)));\n  CUDA_CHECK(cudaMalloc(&out2, n * "
               "sizeof(float)));\n"
               "  CUDA_CHECK(cudaMemset(in2, 0, n * sizeof(float)));\n  "
               "CUDA_CHECK(cudaDeviceSynchronize());\n",
           "    NCCL_CHECK(ncclAllReduce(in2, out2, n, ncclFloat, ncclSum, comm, other));\n"
           "    NCCL_CHECK(ncclAllReduce(in, out, n, ncclFloat, ncclSum, comm, stream));\n"
           "    CUDA_CHECK(cudaStreamSynchronize(other));\n",
           std::string(kPlainFree) + "  cudaFree(in2);\n  cudaFree(out2);\n")});
  out.push_back(
      {"nccl_memory",
       sum_program("",
                   "  float *in, *out;\n  NCCL_CHECK(ncclMemAlloc((void**)&in, n * sizeof(float)));\n"
                   "  NCCL_CHECK(ncclMemAlloc((void**)&out, n * sizeof(float)));\n",
                   kPlainSum,
                   "  NCCL_CHECK(ncclMemFree(in));\n  NCCL_CHECK(ncclMemFree(out));\n")});
  out.push_back(
      {"array_of_buffers",
       sum_program(
           "",
           "  float* buffer[2];\n  for (int k = 0; k < 2; ++k) CUDA_CHECK(cudaMalloc(&buffer[k], n * "
           "sizeof(float)));\n",
           "    NCCL_CHECK(ncclAllReduce(buffer[0], buffer[1], n, ncclFloat, ncclSum, comm, stream));\n",
           "  for (int k = 0; k < 2; ++k) CUDA_CHECK(cudaFree(buffer[k]));\n",
           "buffer[0]",
           "buffer[1]")});
  out.push_back({"timer_around_a_loop_without_braces",
                 sum_program("",
                             kPlainAllocate,
                             "    for (int k = 0; k < 2; ++k)\n      NCCL_CHECK(ncclAllReduce(in, out, n, "
                             "ncclFloat, ncclSum, comm, stream));\n",
                             kPlainFree)});
  out.push_back(
      {"words_in_comments_and_strings",
       sum_program(
           "// ncclSend(a, b) is not used; ncclGroupStart(); neither.\n#if 0\nncclBroadcast(x);\n#endif\n"
           "static const char* kText = \"ncclReduce( {\";\n",
           std::string(kPlainAllocate) + "  (void)kText;\n",
           kPlainSum,
           kPlainFree)});
  return out;
}

inline std::string everything() {
  return prelude() + R"(
template <class T>
static void fill(T* device, std::vector<T>& host, int rank, int round) {
  for (size_t i = 0; i < host.size(); ++i) host[i] = T(value_at(i, rank, round));
  CUDA_CHECK(cudaMemcpy(device, host.data(), host.size() * sizeof(T), cudaMemcpyHostToDevice));
}
template <class T>
static void read(std::vector<T>& host, const T* device) {
  CUDA_CHECK(cudaMemcpy(host.data(), device, host.size() * sizeof(T), cudaMemcpyDeviceToHost));
}
)" + start_of_main() +
         R"(  const size_t n = argc > 1 ? strtoull(argv[1], nullptr, 10) : 4099;
  float *f_in, *f_out, *f_out2;
  int64_t* i_both;
  double *d_in, *d_out;
  int *g_all;
  uint8_t *b_in, *b_out;
  CUDA_CHECK(cudaMalloc(&f_in, (n + 1) * sizeof(float)));
  CUDA_CHECK(cudaMalloc(&f_out, (n + 1) * sizeof(float)));
  CUDA_CHECK(cudaMalloc(&f_out2, (n + 2) * sizeof(float)));
  CUDA_CHECK(cudaMalloc(&i_both, n * sizeof(int64_t)));
  CUDA_CHECK(cudaMalloc(&d_in, n * sizeof(double)));
  CUDA_CHECK(cudaMalloc(&d_out, nranks * n * sizeof(double)));
  CUDA_CHECK(cudaMalloc(&g_all, nranks * n * sizeof(int)));
  CUDA_CHECK(cudaMalloc(&b_in, nranks * n));
  CUDA_CHECK(cudaMalloc(&b_out, nranks * n));
  std::vector<float> f(n), f2(n);
  std::vector<int64_t> l(n);
  std::vector<double> d(n), all_d(nranks * n);
  std::vector<int> g(n), all_g(nranks * n);
  std::vector<uint8_t> b(nranks * n), all_b(nranks * n);
  for (int round = 0; round < 3; ++round) {
    fill(f_in + 1, f, rank, round);
    fill(i_both, l, rank, round);
    fill(d_in, d, rank, round);
    CUDA_CHECK(cudaMemset(g_all, 0xff, nranks * n * sizeof(int)));
    fill(g_all + rank * n, g, rank, round);
    fill(b_in, b, rank, round);
    CUDA_CHECK(cudaMemset(f_out, 0xff, (n + 1) * sizeof(float)));
    CUDA_CHECK(cudaMemset(f_out2, 0xff, (n + 2) * sizeof(float)));
    CUDA_CHECK(cudaMemset(d_out, 0xff, nranks * n * sizeof(double)));
    CUDA_CHECK(cudaMemset(b_out, 0xff, nranks * n));
    CUDA_CHECK(cudaDeviceSynchronize());
    MPI_Barrier(MPI_COMM_WORLD);
    CUDA_CHECK(cudaEventRecord(start, stream));
    NCCL_CHECK(ncclAllReduce(f_in + 1, f_out + 1, n, ncclFloat, ncclSum, comm, stream));
    NCCL_CHECK(ncclAllReduce(f_out + 1, f_out2 + 2, n, ncclFloat, ncclSum, comm, stream));
    NCCL_CHECK(ncclAllReduce(i_both, i_both, n, ncclInt64, ncclMax, comm, stream));
    NCCL_CHECK(ncclAllGather(d_in, d_out, n, ncclDouble, comm, stream));
    NCCL_CHECK(ncclAllGather(g_all + rank * n, g_all, n, ncclInt, comm, stream));
    NCCL_CHECK(ncclAlltoAll(b_in, b_out, n, ncclUint8, comm, stream));
    NCCL_CHECK(ncclAlltoAll(b_in, b_out, n, ncclUint8, comm, stream));
    NCCL_CHECK(ncclAllReduce(f_in + 1, f_out + 1, 0, ncclFloat, ncclSum, comm, stream));
    CUDA_CHECK(cudaEventRecord(stop, stream));
    CUDA_CHECK(cudaEventSynchronize(stop));
    CUDA_CHECK(cudaEventElapsedTime(&ms, start, stop));
    read(f, f_out + 1);
    read(f2, f_out2 + 2);
    read(l, i_both);
    read(all_d, d_out);
    read(all_g, g_all);
    read(all_b, b_out);
    size_t e[6] = {};
    for (size_t i = 0; i < n; ++i) {
      float sum = 0;
      int64_t most = 0;
      for (int r = 0; r < nranks; ++r) {
        const int v = value_at(i, r, round);
        sum += float(v);
        most = std::max(most, int64_t(v));
        e[2] += all_d[r * n + i] != double(v);
        e[3] += all_g[r * n + i] != v;
        e[4] += all_b[r * n + i] != uint8_t(value_at(rank * n + i, r, round));
      }
      e[0] += !(f[i] == sum);
      e[1] += !(f2[i] == sum * float(nranks));
      e[5] += l[i] != most;
    }
    for (size_t k : e) wrong += k;
    if (e[0] + e[1] + e[2] + e[3] + e[4] + e[5] != 0)
      fprintf(stderr, "rank %d round %d: sum %zu, sum of sums %zu, gather %zu, gather in place %zu, all-to-all %zu, max %zu wrong\n",
              rank, round, e[0], e[1], e[2], e[3], e[4], e[5]);
  }
  for (void* p : {(void*)f_in, (void*)f_out, (void*)f_out2, (void*)i_both, (void*)d_in, (void*)d_out, (void*)g_all, (void*)b_in, (void*)b_out})
    CUDA_CHECK(cudaFree(p));
)" + end_of_main();
}

}  // namespace cuco::testing

// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
// The order of launches and collectives follows streams and events, not lines.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "analyze.hpp"

namespace {

using namespace cuco::testing;
using Texts = std::vector<std::string>;

std::string const kKernels = R"(
__global__ void produce(float* out) { out[0] = 1; }
__global__ void consume(const float* in, float* result) { result[0] = in[0]; }
)";
std::string const kStreams =
    "cudaStream_t a, b; cudaStreamCreateWithFlags(&a, cudaStreamNonBlocking); cudaStreamCreateWithFlags(&b, "
    "cudaStreamNonBlocking); cudaEvent_t e, e2; cudaEventCreate(&e); cudaEventCreate(&e2); float *x, *y; "
    "cudaMalloc(&x, 4); cudaMalloc(&y, 4);\n";

struct Flow {
  Texts before, after, unordered;
};
/// What `body` of main does with the send and receive buffers x and y of its one collective.
Flow flow(std::string const& body, std::string const& helpers = {}) {
  auto const r = analyze(kKernels + helpers + "int main() {\n" + kStreams + body + "\n}\n");
  if (r.graph.size() != 1) {
    ADD_FAILURE() << r.graph.size() << " nodes";
    return {};
  }
  auto const& n = r.graph.front();
  Flow out{kernels(r, n.send.producers), kernels(r, n.recv.consumers), kernels(r, n.send.unordered_launches)};
  for (auto const& k : names(r, n.send.copies_in)) out.before.push_back(k);
  for (auto const& k : names(r, n.recv.copies_out)) out.after.push_back(k);
  for (auto const& k : kernels(r, n.recv.unordered_launches)) out.unordered.push_back(k);
  for (auto const& k : names(r, n.recv.unordered_calls)) out.unordered.push_back(k);
  return out;
}
std::string const kReduce = "ncclAllReduce(x, y, n, ncclFloat, ncclSum, comm, b);\n";

TEST(StreamOrder, OneStreamOrders) {
  auto const f = flow("produce<<<1, 1, 0, b>>>(x);" + kReduce + "consume<<<1, 1, 0, b>>>(y, z);");
  EXPECT_EQ(f.before, (Texts{"produce"}));
  EXPECT_EQ(f.after, (Texts{"consume"}));
  EXPECT_TRUE(f.unordered.empty());
}

TEST(StreamOrder, OtherStreamsDoNot) {
  auto const f = flow("produce<<<1, 1, 0, a>>>(x);" + kReduce + "consume<<<1, 1, 0, a>>>(y, z);");
  EXPECT_TRUE(f.before.empty());
  EXPECT_TRUE(f.after.empty());
  EXPECT_EQ(f.unordered, (Texts{"produce", "consume"}));
}

TEST(StreamOrder, EventsOrderStreams) {
  auto const f =
      flow("produce<<<1, 1, 0, a>>>(x); cudaEventRecord(e, a); cudaStreamWaitEvent(b, e, 0);" + kReduce +
           "cudaEventRecord(e2, b); cudaStreamWaitEvent(a, e2); consume<<<1, 1, 0, a>>>(y, z);");
  EXPECT_EQ(f.before, (Texts{"produce"}));
  EXPECT_EQ(f.after, (Texts{"consume"}));
  EXPECT_TRUE(f.unordered.empty());
}

TEST(StreamOrder, AnEventRecordedTooEarlyDoesNot) {
  auto const f =
      flow("cudaEventRecord(e, a); produce<<<1, 1, 0, a>>>(x); cudaStreamWaitEvent(b, e, 0);" + kReduce);
  EXPECT_TRUE(f.before.empty());
  EXPECT_EQ(f.unordered, (Texts{"produce"}));
  auto const wrong =
      flow("produce<<<1, 1, 0, a>>>(x); cudaEventRecord(e, a); cudaStreamWaitEvent(b, e2, 0);" + kReduce);
  EXPECT_EQ(wrong.unordered, (Texts{"produce"}));
}

TEST(StreamOrder, HostSynchronisationOrders) {
  for (std::string sync : {"cudaStreamSynchronize(a);",
                           "cudaDeviceSynchronize();",
                           "cudaEventRecord(e, a); cudaEventSynchronize(e);",
                           "while (cudaStreamQuery(a) == cudaErrorNotReady) {}"}) {
    auto const f = flow("produce<<<1, 1, 0, a>>>(x);" + sync + kReduce);
    EXPECT_EQ(f.before, (Texts{"produce"})) << sync;
    EXPECT_TRUE(f.unordered.empty()) << sync;
  }
  EXPECT_EQ(flow("produce<<<1, 1, 0, a>>>(x); cudaStreamSynchronize(b);" + kReduce).unordered,
            (Texts{"produce"}));
}

TEST(StreamOrder, SynchronousCopiesOrderAndDefaultStreamOrdersBlockingStreams) {
  auto const copy = flow("cudaMemcpy(x, h, n, cudaMemcpyHostToDevice);" + kReduce +
                         "cudaStreamSynchronize(b); cudaMemcpy(h, y, n, cudaMemcpyDeviceToHost);");
  EXPECT_EQ(copy.before, (Texts{"cudaMemcpy"}));
  EXPECT_EQ(copy.after, (Texts{"cudaMemcpy"}));
  // Nothing makes the default stream wait for a non-blocking one.
  EXPECT_EQ(flow(kReduce + "cudaMemcpy(h, y, n, cudaMemcpyDeviceToHost);").unordered, (Texts{"cudaMemcpy"}));
  auto const blocking = flow(
      "cudaStream_t c; cudaStreamCreate(&c); produce<<<1, 1>>>(x); ncclAllReduce(x, y, n, "
      "ncclFloat, ncclSum, comm, c); consume<<<1, 1>>>(y, z);");
  EXPECT_EQ(blocking.before, (Texts{"produce"}));
  EXPECT_EQ(blocking.after, (Texts{"consume"}));
}

TEST(StreamOrder, LoopsCarryOrderToTheNextIteration) {
  auto const f = flow("for (int i = 0; i < 3; ++i) {" + kReduce +
                      "cudaEventRecord(e, b); cudaStreamWaitEvent(a, e, 0); produce<<<1, 1, 0, a>>>(x);"
                      "cudaEventRecord(e2, a); cudaStreamWaitEvent(b, e2, 0); }");
  EXPECT_EQ(f.before, (Texts{"produce"}));
  EXPECT_TRUE(f.unordered.empty());
  auto const racy =
      flow("for (int i = 0; i < 3; ++i) {" + kReduce +
           "cudaEventRecord(e, b); cudaStreamWaitEvent(a, e, 0); produce<<<1, 1, 0, a>>>(x); }");
  EXPECT_EQ(racy.unordered, (Texts{"produce"}));
}

TEST(StreamOrder, OrderOfCallsRatherThanLines) {
  auto const f = flow("prepare(x, a); finish(e, a, b);" + kReduce, R"(
void finish(cudaEvent_t event, cudaStream_t from, cudaStream_t to) { cudaEventRecord(event, from); cudaStreamWaitEvent(to, event, 0); }
void prepare(float* p, cudaStream_t q) { produce<<<1, 1, 0, q>>>(p); }
)");
  EXPECT_EQ(f.before, (Texts{"produce"}));
  EXPECT_TRUE(f.unordered.empty());
}

TEST(StreamOrder, GroupsRunWhereTheyEnd) {
  // The launch between start and end runs before the collective, though its line comes after.
  auto const f = flow("ncclGroupStart();" + kReduce + "produce<<<1, 1, 0, b>>>(x); ncclGroupEnd();");
  EXPECT_EQ(f.before, (Texts{"produce"}));
}

TEST(StreamOrder, AGroupOrdersItsStreams) {
  auto const r =
      analyze(kKernels + "int main() {" + kStreams +
              "produce<<<1, 1, 0, a>>>(x); ncclGroupStart(); ncclBcast(x, n, ncclFloat, 0, comm, b); "
              "ncclBcast(y, n, ncclFloat, 0, comm2, a); ncclGroupEnd(); }");
  EXPECT_EQ(kernels(r, r.graph.at(0).send.producers), (Texts{"produce"}));
}

TEST(StreamOrder, UnknownStreamsAreTakenAsOrdered) {
  auto const f =
      flow("produce<<<1, 1, 0, pick(i)>>>(x);" + kReduce + "consume<<<1, 1, 0, elsewhere>>>(y, z);");
  EXPECT_EQ(f.before, (Texts{"produce"}));
  EXPECT_EQ(f.after, (Texts{"consume"}));
  EXPECT_TRUE(f.unordered.empty());
}

TEST(StreamOrder, ReadersDoNotConflict) {
  auto const f = flow("consume<<<1, 1, 0, a>>>(x, z);" + kReduce);
  EXPECT_TRUE(f.unordered.empty());
  EXPECT_NE(
      to_text(analyze(kKernels + "int main() {" + kStreams + "produce<<<1, 1, 0, a>>>(x);" + kReduce + "}"))
          .find("nothing orders it and produce (line 5)"),
      std::string::npos);
}

TEST(Groups, MembersAlsoThroughFunctions) {
  auto const r = analyze(R"(
void pair(int peer) { ncclSend(x, n, t, peer, c, s); ncclRecv(y, n, t, peer, c, s); }
struct Group { Group() { ncclGroupStart(); } ~Group() { ncclGroupEnd(); } };
int main() {
  ncclBcast(x, n, t, 0, c, s);
  ncclGroupStart();
  for (int p = 0; p < size; ++p) pair(p);
  ncclGroupStart(); ncclReduce(x, y, n, t, o, 0, c, s); ncclGroupEnd();
  ncclGroupEnd();
  { Group group; ncclAllGather(x, y, n, t, c, s); }
  ncclAlltoAll(x, y, n, t, c, s);
}
)");
  ASSERT_EQ(r.groups.size(), 2U);
  ASSERT_EQ(r.graph.size(), 6U);
  auto collective = [&](std::size_t i) { return r.graph.at(i).collective; };
  for (std::size_t i = 0; i < r.graph.size(); ++i) {
    bool const guarded = collective(i) == "AllGather";
    bool const plain = collective(i) == "Broadcast" || collective(i) == "AlltoAll";
    EXPECT_EQ(r.graph[i].in_group, !plain) << collective(i);
    EXPECT_EQ(r.graph[i].group, plain ? cuco::kNone : guarded ? 0 : 1) << collective(i);
  }
  EXPECT_EQ(names(r, r.groups[1].calls), (Texts{"ncclSend", "ncclRecv", "ncclReduce"}));
  EXPECT_EQ(names(r, {r.groups[1].start, r.groups[1].end}), (Texts{"ncclGroupStart", "ncclGroupEnd"}));
  EXPECT_EQ(r.calls.at(static_cast<std::size_t>(r.groups[1].start)).line, 6U);
  EXPECT_EQ(r.calls.at(static_cast<std::size_t>(r.groups[1].end)).line, 9U);
  EXPECT_NE(to_text(r).find("2: from line 6 to line 9: "), std::string::npos) << to_text(r);
}

TEST(Communicators, WhereCreatedAndWhoUsesThem) {
  auto const r = analyze(R"(
struct Mesh { ncclComm_t row, col; };
void split(Mesh* m, ncclComm_t world) {
  ncclCommSplit(world, rank / 2, rank, &m->row, NULL);
  ncclCommSplit(world, rank % 2, rank, &m->col, NULL);
}
void reduce(float* p, ncclComm_t c) { ncclAllReduce(p, p, n, ncclFloat, ncclSum, c, s); }
int main() {
  ncclComm_t world, quiet; Mesh mesh;
  ncclCommInitRankConfig(&world, size, id, rank, &config);
  ncclCommInitRank(&quiet, size, id, rank);
  split(&mesh, world);
  ncclComm_t all[8]; ncclCommInitAll(all, 8, NULL);
  reduce(x, mesh.row); reduce(x, world);
  ncclBcast(x, n, ncclFloat, 0, mesh.col, s);
  ncclBcast(x, n, ncclFloat, 0, all[i], s);
  ncclBcast(x, n, ncclFloat, 0, elsewhere, s);
}
)");
  Texts found;
  for (auto const& c : r.communicators)
    found.push_back(
        c.name + " " + c.how + " " +
        (c.parent == cuco::kNone ? "" : r.communicators.at(static_cast<std::size_t>(c.parent)).name) + " " +
        std::to_string(c.nodes.size()));
  EXPECT_EQ(found,
            (Texts{"mesh.row Split world 1",
                   "mesh.col Split world 1",
                   "world InitRankConfig  1",
                   "quiet InitRank  0",
                   "all[] InitAll  1",
                   "elsewhere   1"}));
  EXPECT_EQ(r.graph.at(0).communicators.size(), 2U);
  EXPECT_EQ(r.graph.at(0).communicator, cuco::kNone);
  EXPECT_EQ(r.graph.at(1).communicator, 1);
  EXPECT_NE(to_text(r).find("mesh.row: Split at line 4 of world; used by [1]"), std::string::npos)
      << to_text(r);
}

}  // namespace

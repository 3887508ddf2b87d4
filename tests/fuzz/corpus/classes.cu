template <class T> class Buf { public: explicit Buf(size_t n) : n_{n}, q(r) { cudaMalloc(&p_, n); } ~Buf() { cudaFree(p_); } T* at(int i) { return p_ + i; } T* data() const { return p_; } void zero() { cudaMemset(p_, 0, 4); } T* p_; size_t n_; };
typedef struct { Buf<float> in, *out; ncclComm_t comm; } Ctx;
struct Guard { Guard() { ncclGroupStart(); } ~Guard() { ncclGroupEnd(); } };
struct Op { void operator()(float* p) const { ncclBcast(p, 1, ncclInt, 0, comm_, s_); } ncclComm_t comm_; };
void run(Ctx* c, float* p) { Guard g; ncclAllGather(c->in.data(), p, 1, ncclFloat, c->comm, 0); Op op; op(p); run(c, c->out->at<int>(3)); }
int main() { Buf<float> a(1), b(2); a.zero(); Ctx ctx; ncclCommInitRank(&ctx.comm, 1, id, 0); ncclCommSplit(ctx.comm, 0, 0, &other, NULL); run(&ctx, a.data()); run(&ctx, b.at(1)); auto m = make(3); std::vector<float*> v{x, y}; v.push_back(a.p_); ncclBcast(v[i], 1, ncclInt, 0, other, s); }

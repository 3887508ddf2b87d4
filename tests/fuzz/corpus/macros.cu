#define CK(x) do { if ((x) != 0) die(#x); } while (0)
#define ALL(p, ...) CK(ncclAllReduce((p), (p), __VA_ARGS__))
#define RUN(k, n, ...) k<<<(n + 1) / 2, 32, 0, s>>>(__VA_ARGS__)
#define KERNEL __global__ void __launch_bounds__(32)
#define EACH(i) for (int i = 0; i < 4; ++i)
#if defined(X) && 0
#elif 1 /* c */
KERNEL k(float (*p)[4], int n = f<1>(2)) { EACH(i) (*p)[i] = n; }
#else
}
#endif
void f() { EACH(j) { RUN(k, 4, p, 1); ALL(p, 4, ncclFloat, ncclSum, c, s); } puts("\"//"); puts(R"x(})x"); char c = '"'; }

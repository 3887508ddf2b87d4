void f() { void* args[] = {&a, (void*)&b}; cudaLaunchCooperativeKernel((void*)k<int, 2>, dim3(1), 2, args, 0, s);
cudaLaunchConfig_t c = {.gridDim = 1, .blockDim = dim3(2, 3), .dynamicSmemBytes = 0, .stream = s}; cudaLaunchKernelEx(&c, k, a, b);
(*fn)<<<g->x, a < b ? 1 : 2>>>(p->q, x << 2, y >> 3); ns::t<N<3>><<<1, 2>>>(); cudaMemcpyPeerAsync(a, 0, b, 1, n, s); cudaLaunchKernel(&k, 1, 2, nullptr, 0, 0); }

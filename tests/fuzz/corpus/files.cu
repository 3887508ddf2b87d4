#include "a.h"
#include <nccl.h>
#ifdef Y
#include "b.h" // why
#endif
#include "c.h"
int main() { share(x); }
// FILE a.h
#pragma once
#include "b.h"
inline void share(float* p) { ncclBcast(p, 1, ncclInt, 0, c, s); }
// FILE b.h
#ifndef B
#define B
#include "a.h"
int b;
#endif
// FILE c.h
#include "c.h"

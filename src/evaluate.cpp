// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
// The bodies of evaluation, compiled once.
#define CUCO_EVOLVE_BODIES
#include "cuco/core/impl/inline.hpp"

#include "cuco/evaluate/benchmark_stage-inl.hpp"
#include "cuco/evaluate/build_cache-inl.hpp"
#include "cuco/evaluate/cascade-inl.hpp"
#include "cuco/evaluate/command_evaluator-inl.hpp"
#include "cuco/evaluate/compile_stage-inl.hpp"
#include "cuco/evaluate/contract_output-inl.hpp"
#include "cuco/evaluate/devices-inl.hpp"
#include "cuco/evaluate/evaluation_files-inl.hpp"
#include "cuco/evaluate/impl/cuda_toolchain-inl.hpp"
#include "cuco/evaluate/impl/diagnostics-inl.hpp"
#include "cuco/evaluate/impl/files-inl.hpp"
#include "cuco/evaluate/impl/mpirun-inl.hpp"
#include "cuco/evaluate/impl/mpirun_output-inl.hpp"
#include "cuco/evaluate/lint_stage-inl.hpp"
#include "cuco/evaluate/nvcc_check-inl.hpp"
#include "cuco/evaluate/program_verifier-inl.hpp"
#include "cuco/evaluate/run_stage-inl.hpp"
#include "cuco/evaluate/statistics-inl.hpp"

// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Bodies of the NCCL functions for reductions with a factor. Included by the runtime object only.

#include "cuco/emu/impl/nccl_host.hpp"

extern "C" {
ncclResult_t ncclRedOpCreatePreMulSum(
    ncclRedOp_t* op, void* scalar, ncclDataType_t type, ncclScalarResidence_t residence, ncclComm_t comm) {
  if (op == nullptr || scalar == nullptr || comm == nullptr || comm->destroyed || type < 0 ||
      type >= ncclNumTypes)
    return cei::comm_error(comm, ncclInvalidArgument, "ncclRedOpCreatePreMulSum: invalid argument");
  cei::PreMultiplied created;
  created.type = type;
  if (residence == ncclScalarDevice) {
    cei::check_buffer(scalar, cei::type_bytes(type), "ncclRedOpCreatePreMulSum", "scalar");
    created.device = scalar;
  } else {
    std::memcpy(&created.bits, scalar, cei::type_bytes(type));
  }
  comm->pre_multiplied.push_back(created);
  *op = static_cast<ncclRedOp_t>(ncclNumOps + static_cast<int>(comm->pre_multiplied.size()) - 1);
  return ncclSuccess;
}
ncclResult_t ncclRedOpDestroy(ncclRedOp_t op, ncclComm_t comm) {
  std::size_t const index = static_cast<std::size_t>(op) - ncclNumOps;
  if (comm == nullptr || op < ncclNumOps || index >= comm->pre_multiplied.size() ||
      comm->pre_multiplied[index].type < 0)
    return cei::comm_error(
        comm, ncclInvalidArgument, "ncclRedOpDestroy: not an operation of this communicator");
  // Collectives that were enqueued with it keep its factor.
  comm->pre_multiplied[index].type = -1;
  return ncclSuccess;
}
}

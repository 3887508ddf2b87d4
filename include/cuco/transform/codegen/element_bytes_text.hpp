// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace cuco::impl {

/// For launchers that take NCCL's datatype.
inline constexpr char const* kElementBytesText = R"(
// Bytes of an element; 0 for a type that does not exist.
inline size_t element_bytes(ncclDataType_t type) {
  switch (type) {
    case ncclInt8:
    case ncclUint8: return 1;
    case ncclFloat16:
    case ncclBfloat16: return 2;
    case ncclInt32:
    case ncclUint32:
    case ncclFloat32: return 4;
    case ncclInt64:
    case ncclUint64:
    case ncclFloat64: return 8;
    default: return type > ncclBfloat16 && type < ncclNumTypes ? 1 : 0;  // floats of 8 bits
  }
}
)";

}  // namespace cuco::impl

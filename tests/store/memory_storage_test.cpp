// SPDX-FileCopyrightText: the cuco authors
// SPDX-License-Identifier: Apache-2.0

#include "cuco/store/memory_storage.hpp"

#include "../contract/storage_contract.hpp"
#include "cuco/store/any_storage.hpp"

namespace cuco {
namespace {

struct MemoryFactory {
  using Model = MemoryStorage;
  Model make() { return {}; }
};
INSTANTIATE_TYPED_TEST_SUITE_P(Memory, StorageContract, MemoryFactory);
INSTANTIATE_TYPED_TEST_SUITE_P(Memory, RunStorageContract, MemoryFactory);

struct AnyFactory {
  using Model = AnyStorage;
  Model make() { return AnyStorage(MemoryStorage()); }
};
INSTANTIATE_TYPED_TEST_SUITE_P(Any, StorageContract, AnyFactory);
INSTANTIATE_TYPED_TEST_SUITE_P(Any, RunStorageContract, AnyFactory);

}  // namespace
}  // namespace cuco

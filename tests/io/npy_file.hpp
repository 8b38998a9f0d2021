// SPDX-License-Identifier: MIT
// tests/io/npy_file.hpp: the beginning of an .npy file around any header text.
#ifndef LRQAT_TESTS_IO_NPY_FILE_HPP
#define LRQAT_TESTS_IO_NPY_FILE_HPP

#include <lrqat/io/detail/bytes.hpp>

#include <string>

namespace lrqat::test {

/// @param format  1 or 2: how wide the header's length is stored
inline std::string npy_file(int format, const std::string& header) {
  std::string bytes = "\x93NUMPY";
  bytes += static_cast<char>(format);
  bytes += '\0';
  if (format == 1)
    detail::append_number(bytes, static_cast<std::uint16_t>(header.size()));
  else
    detail::append_number(bytes, static_cast<std::uint32_t>(header.size()));
  return bytes + header;
}

}  // namespace lrqat::test

#endif  // LRQAT_TESTS_IO_NPY_FILE_HPP

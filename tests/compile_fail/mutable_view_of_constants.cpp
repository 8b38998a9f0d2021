// SPDX-License-Identifier: MIT
// tests/compile_fail/mutable_view_of_constants.cpp: a view never casts const away.
// expect: MatrixView<const float>
#include <lrqat/core/matrix_view.hpp>

#ifdef LRQAT_CONTROL
using Target = lrqat::MatrixView<const float>;
#else
using Target = lrqat::MatrixView<float>;
#endif

Target narrow(lrqat::MatrixView<const float> view) { return view; }

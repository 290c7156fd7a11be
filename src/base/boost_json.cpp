// SPDX-License-Identifier: Apache-2.0
// Boost.JSON's own code, compiled once here: Debian's headers come without its library.
#include <boost/json/src.hpp>

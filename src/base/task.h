// SPDX-License-Identifier: Apache-2.0
// Task<T>: what a function returns that may wait. Always awaited exactly once, on the thread that made it.
// House rule (a test greps for it): co_await stands only in `auto x = co_await f(named);`, `co_await f(named);`
// and `co_return co_await f(named);` - other shapes are compiled wrongly by g++ 12.
#pragma once

#include <boost/asio/awaitable.hpp>

namespace birthmark {

template <class T>
using Task = boost::asio::awaitable<T>;

}  // namespace birthmark

// SPDX-License-Identifier: MIT
// benchmarks/peers/peers.hpp: other libraries' plain linear layer with a trained weight.
#ifndef LRQAT_BENCHMARKS_PEERS_PEERS_HPP
#define LRQAT_BENCHMARKS_PEERS_PEERS_HPP

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace lrqat::benchmarks {

/// x (tokens, in), weight (out, in), y (tokens, out).
struct LinearSizes {
  std::size_t out, in, tokens;
};

/// Owns operands and gradients of its sizes, filled with numbers that stay finite.
class Peer {
 public:
  virtual ~Peer() = default;
  virtual void forward() = 0;   // y = x W^T
  virtual void backward() = 0;  // dx = dy W, dW = dy^T x
};

struct NamedPeer {
  std::string name;
  std::unique_ptr<Peer> (*make)(const LinearSizes& sizes, int threads);
};

/// Each peer adds itself here where its library was found.
inline std::vector<NamedPeer>& known_peers() {
  static std::vector<NamedPeer> peers;
  return peers;
}

/// The same for products of int8: forward() alone counts.
inline std::vector<NamedPeer>& known_int8_peers() {
  static std::vector<NamedPeer> peers;
  return peers;
}

/// A constant of a peer's file: `const AddPeer added{"name", make};`
struct AddPeer {
  AddPeer(const char* name, std::unique_ptr<Peer> (*make)(const LinearSizes&, int)) {
    known_peers().push_back({name, make});
  }
};
struct AddInt8Peer {
  AddInt8Peer(const char* name, std::unique_ptr<Peer> (*make)(const LinearSizes&, int)) {
    known_int8_peers().push_back({name, make});
  }
};

}  // namespace lrqat::benchmarks

#endif  // LRQAT_BENCHMARKS_PEERS_PEERS_HPP

// SPDX-License-Identifier: BSD-3-Clause
#include "compress/zstd_frame.h"

#include <algorithm>

#include <zstd.h>

namespace ts2021::compress {
namespace {
struct FreeEncoder {
  void operator()(ZSTD_CCtx* context) const noexcept { ZSTD_freeCCtx(context); }
};
struct FreeDecoder {
  void operator()(ZSTD_DCtx* context) const noexcept { ZSTD_freeDCtx(context); }
};
}  // namespace

struct Encoder::Impl {
  std::unique_ptr<ZSTD_CCtx, FreeEncoder> context{ZSTD_createCCtx()};
};

Encoder::Encoder(int level) noexcept : impl_(std::make_unique<Impl>()) {
  if (impl_->context)
    ZSTD_CCtx_setParameter(impl_->context.get(), ZSTD_c_compressionLevel, std::clamp(level, 1, 19));
}
Encoder::Encoder(Encoder&&) noexcept = default;
Encoder& Encoder::operator=(Encoder&&) noexcept = default;
Encoder::~Encoder() = default;

Result<void> Encoder::compress(Bytes in, std::vector<std::uint8_t>& out) noexcept {
  if (!impl_->context) return fail(Errc::out_of_memory, 550);
  out.resize(ZSTD_compressBound(in.size()));
  const std::size_t size = ZSTD_compress2(impl_->context.get(), out.data(), out.size(), in.data(), in.size());
  if (ZSTD_isError(size)) {
    out.clear();
    return fail(Errc::out_of_memory, 551);  // the room suffices and the parameters are good
  }
  out.resize(size);
  return {};
}

struct Decoder::Impl {
  std::unique_ptr<ZSTD_DCtx, FreeDecoder> context{ZSTD_createDCtx()};
};

Decoder::Decoder() noexcept : impl_(std::make_unique<Impl>()) {
  if (impl_->context) ZSTD_DCtx_setParameter(impl_->context.get(), ZSTD_d_windowLogMax, max_window_log);
}
Decoder::Decoder(Decoder&&) noexcept = default;
Decoder& Decoder::operator=(Decoder&&) noexcept = default;
Decoder::~Decoder() = default;

Result<void> Decoder::decompress(Bytes in, std::size_t limit, std::vector<std::uint8_t>& out) noexcept {
  out.clear();
  auto* const context = impl_->context.get();
  if (context == nullptr) return fail(Errc::out_of_memory, 552);
  ZSTD_DCtx_reset(context, ZSTD_reset_session_only);
  ZSTD_inBuffer source{in.data(), in.size(), 0};
  std::size_t filled = 0, wanted = 1;  // wanted: 0 at the end of a frame
  for (;;) {
    if (filled == out.size()) out.resize(std::min(limit + 1, std::max<std::size_t>(4096, 2 * filled)));
    ZSTD_outBuffer room{out.data(), out.size(), filled};
    wanted = ZSTD_decompressStream(context, &room, &source);
    if (ZSTD_isError(wanted)) break;
    filled = room.pos;
    if (filled > limit) {
      out.clear();
      return fail(Errc::limit_exceeded, 553);
    }
    if (source.pos == source.size && (wanted == 0 || room.pos < room.size)) break;
  }
  if (wanted != 0) {
    out.clear();
    return fail(Errc::bad_compression, 554);
  }
  out.resize(filled);
  return {};
}

}  // namespace ts2021::compress

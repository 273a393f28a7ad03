// libqrencode is used here only, and loaded when the first code is wanted: a server that shows none holds nothing of it (some
// 60 KiB resident), and one without the library shows its pages without codes.
#include "web-admin/qr_code.h"

#include <dlfcn.h>
#include <qrencode.h>

#include <memory>

#include "web-admin/xml_text.h"

namespace posthus::web_admin {
namespace {

constexpr int kQuietZone = 4;  // modules, ISO/IEC 18004 §5.3.8

struct Library {
  decltype(&QRcode_encodeData) encode = nullptr;
  decltype(&QRcode_free) free = nullptr;
};

const Library& library() {
  static const Library loaded = [] {
    Library found;
    void* const handle = dlopen("libqrencode.so.4", RTLD_NOW | RTLD_LOCAL);  // never closed: it is wanted again
    if (!handle) return found;
    found.encode = reinterpret_cast<decltype(found.encode)>(dlsym(handle, "QRcode_encodeData"));
    found.free = reinterpret_cast<decltype(found.free)>(dlsym(handle, "QRcode_free"));
    return found;
  }();
  return loaded;
}

struct FreeCode {
  void operator()(QRcode* code) const { library().free(code); }
};

/// Dark modules as one path: a rectangle for each run of a row.
std::string dark_path(const QRcode& code) {
  std::string path;
  for (int y = 0; y < code.width; ++y) {
    for (int x = 0; x < code.width; ++x) {
      const auto is_dark = [&](int at) { return at < code.width && (code.data[y * code.width + at] & 1) != 0; };
      if (!is_dark(x)) continue;
      int end = x;
      while (is_dark(end)) ++end;
      const std::string run = std::to_string(end - x);
      path += "M" + std::to_string(x + kQuietZone) + " " + std::to_string(y + kQuietZone) + "h" + run + "v1h-" + run + "z";
      x = end;
    }
  }
  return path;
}

}  // namespace

Result<QrImage> qr_code(std::string_view text) {
  if (text.empty()) return fail(ErrorKind::kInvalid, "nothing to encode");
  if (text.size() > kMaxQrText) return fail(ErrorKind::kTooLarge, "too long for a QR code");
  if (!library().encode || !library().free) return fail(ErrorKind::kUnavailable, "libqrencode is not installed");
  const std::unique_ptr<QRcode, FreeCode> code(
      library().encode(static_cast<int>(text.size()), reinterpret_cast<const unsigned char*>(text.data()), 0, QR_ECLEVEL_M));
  if (!code) return fail(ErrorKind::kTooLarge, "too long for a QR code");
  return QrImage{code->width + 2 * kQuietZone, dark_path(*code)};
}

Result<std::string> qr_code_svg(std::string_view text, std::string_view label) {
  const QrImage image = POSTHUS_TRY(qr_code(text));
  const std::string size = std::to_string(image.size);
  return "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" aria-label=\"" + xml_escape(label) + "\" viewBox=\"0 0 " + size +
         " " + size + "\" width=\"240\" height=\"240\" shape-rendering=\"crispEdges\"><rect width=\"" + size + "\" height=\"" +
         size + "\" fill=\"#fff\"/><path fill=\"#000\" d=\"" + image.path + "\"/></svg>";
}

}  // namespace posthus::web_admin

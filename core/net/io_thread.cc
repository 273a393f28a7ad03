// The loop and its deadlines. The tick runs only while a connection is open, so an idle server does not wake up.
#include "core/net/io_thread.h"

#include <pthread.h>

#include "core/net/driver.h"

namespace posthus::net {
namespace {

std::int64_t now_milliseconds() {
  const auto since_start = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(since_start).count();
}

constexpr std::size_t kLargestSpareOutput = 128 * 1024;

}  // namespace

IoThread::IoThread(OpenConnections& open)
    : work_(asio::make_work_guard(context_)),
      open_(open),
      wheel_(now_milliseconds()),
      tick_(context_),
      read_buffer_(kReadBuffer) {}

IoThread::~IoThread() = default;

void IoThread::start() {
  thread_ = std::thread([this] { context_.run(); });
  pthread_setname_np(thread_.native_handle(), "io");
}

void IoThread::join() {
  asio::post(context_, [this] { tick_.cancel(); });
  work_.reset();
  if (thread_.joinable()) thread_.join();
}

void IoThread::add(Driver& driver) {
  drivers_.insert(&driver);
  open_.add();
}

void IoThread::remove(Driver& driver) {
  drivers_.erase(&driver);
  open_.remove();
}

void IoThread::add_pending(const void* owner, std::function<void()> end) {
  pending_.emplace(owner, std::move(end));
  open_.add();
}

void IoThread::remove_pending(const void* owner) {
  pending_.erase(owner);
  open_.remove();
}

std::vector<std::shared_ptr<Driver>> IoThread::drivers() const {
  std::vector<std::shared_ptr<Driver>> out;
  out.reserve(drivers_.size());
  for (Driver* driver : drivers_) out.push_back(driver->shared_from_this());
  return out;
}

void IoThread::shut_sessions_down() {
  is_stopping_ = true;
  for (const std::shared_ptr<Driver>& driver : drivers()) driver->shut_down();
  std::vector<std::function<void()>> ends;
  for (const auto& [owner, end] : pending_) ends.push_back(end);
  for (const std::function<void()>& end : ends) end();
}

void IoThread::cut_connections() {
  for (const std::shared_ptr<Driver>& driver : drivers()) driver->cut();
}

void IoThread::lend_output(std::string& output) {
  if (output.capacity() < spare_output_.capacity() && output.empty()) output.swap(spare_output_);
}

void IoThread::take_back_output(std::string& output) {
  output.clear();
  if (output.capacity() > spare_output_.capacity() && output.capacity() <= kLargestSpareOutput) output.swap(spare_output_);
  if (output.capacity() > std::string().capacity()) std::string().swap(output);
}

void IoThread::set_deadline(Driver& driver, std::chrono::milliseconds from_now) {
  wheel_.set(driver, now_milliseconds() + from_now.count());
  if (!is_ticking_) arm_tick();
}

void IoThread::pause_deadline(Driver& driver) { wheel_.pause(driver); }
void IoThread::clear_deadline(Driver& driver) { wheel_.clear(driver); }

void IoThread::arm_tick() {
  is_ticking_ = true;
  tick_.expires_after(std::chrono::milliseconds(DeadlineWheel::kTickMilliseconds));
  tick_.async_wait([this](const asio::error_code& error) {
    if (error) return;
    wheel_.expire(now_milliseconds(), [](DeadlineWheel::Entry& entry) { static_cast<Driver&>(entry).deadline_passed(); });
    if (wheel_.empty()) {
      is_ticking_ = false;
    } else {
      arm_tick();
    }
  });
}

}  // namespace posthus::net

// TlsReports: counting, and the errands that carry reports. RFC 8460 §3, §4.1, §5.3, §5.4, §5.5.
#include "smtp/tls_reports.h"

#include <algorithm>
#include <optional>
#include <set>

#include "core/base/hash.h"
#include "core/base/log.h"
#include "core/base/queue_id.h"
#include "core/mail/address.h"
#include "core/mail/date_time.h"
#include "smtp/own_message.h"
#include "smtp/tls_tally.h"
#include "store/directory_reader.h"
#include "store/tls_reader.h"

namespace posthus::smtp {
namespace {

constexpr std::int64_t kRetrySeconds = 3600;

std::uint32_t day_of(Timestamp time) { return static_cast<std::uint32_t>(time.seconds() / kDaySeconds); }

std::string record_name(const std::string& domain) { return "_smtp._tls." + domain; }

bool is_temporary_answer(const dns::Answer& answer) {
  return answer.status == dns::Status::kTemporary || answer.status == dns::Status::kBogus;
}

std::vector<mailauth::ReportEndpoint> endpoints_of(const dns::Answer& answer) {
  if (answer.status != dns::Status::kFound) return {};
  return mailauth::find_report_endpoints(answer.texts);
}

Result<bool> is_mailbox_domain(const store::Store& store, std::string_view name) {
  const auto snapshot = POSTHUS_TRY(store.snapshot());
  const auto domain = POSTHUS_TRY(store::DirectoryReader(*snapshot).domain(name));
  return domain && domain->kind == store::DomainKind::kMailboxes;
}

// Between 0 and kMaxDelaySeconds, the same for the same domain.
std::int64_t delay_of(const std::string& domain) {
  const Sha256Digest digest = sha256(domain);
  return ((digest[0] << 16) | (digest[1] << 8) | digest[2]) % TlsReports::kMaxDelaySeconds;
}

}  // namespace

TlsReports::~TlsReports() {
  std::unique_lock lock(mutex_);
  idle_.wait(lock, [this] { return working_ == 0; });
}

void TlsReports::add(const TlsPolicy& policy, TlsOutcome outcome) {
  if (outcome.domain.empty()) return;
  const std::uint32_t day = day_of(context_.clock.now());
  const std::lock_guard lock(mutex_);
  const Key key{day, outcome.domain};
  if (counted_.size() >= kMaxDomains && !counted_.contains(key)) return;
  store::TlsTallyRecord& tally = counted_[key];
  tally.day = day;
  tally.domain = outcome.domain;
  count_outcome(tally, policy, outcome);
}

void TlsReports::begin_work(std::size_t count) {
  const std::lock_guard lock(mutex_);
  working_ += count;
}

void TlsReports::end_work() {
  const std::lock_guard lock(mutex_);
  if (--working_ == 0) idle_.notify_all();
}

void TlsReports::tick() {
  {
    const std::lock_guard lock(mutex_);
    if (working_ > 0) return;  // what was begun before still waits for answers
    ++working_;
  }
  context_.run_blocking([this] {
    flush();
    send_due();
    end_work();
  });
}

void TlsReports::flush_within(std::chrono::milliseconds patience) {
  begin_work(1);
  flush();
  end_work();
  std::unique_lock lock(mutex_);
  idle_.wait_for(lock, patience, [this] { return working_ == 0; });
}

void TlsReports::flush() {
  std::map<Key, store::TlsTallyRecord> counted;
  {
    const std::lock_guard lock(mutex_);
    counted = std::exchange(counted_, {});
  }
  begin_work(counted.size());
  for (auto& [key, counts] : counted) {
    context_.resolver.resolve(record_name(key.second), dns::RecordType::kTxt,
                              [this, tally = std::move(counts)](dns::Answer answer) mutable {
                                context_.run_blocking([this, tally = std::move(tally), answer = std::move(answer)] {
                                  join(tally, answer);
                                  end_work();
                                });
                              });
  }
}

void TlsReports::join(const store::TlsTallyRecord& counted, const dns::Answer& answer) {
  if (is_temporary_answer(answer)) {  // kept for the next time
    const std::lock_guard lock(mutex_);
    const auto [place, is_new] = counted_.try_emplace({counted.day, counted.domain}, counted);
    if (!is_new) join_tallies(place->second, counted);
    return;
  }
  if (endpoints_of(answer).empty()) return;
  store::TlsTallyRecord tally = counted;
  {
    const auto snapshot = context_.store.snapshot();
    if (!snapshot) return;
    auto stored = store::TlsReader(**snapshot).tls_tally(counted.day, counted.domain);
    if (stored && *stored) {
      tally = *std::move(*stored);
      join_tallies(tally, counted);
    }
  }
  if (const auto put = context_.store.apply(store::PutTlsTally{std::move(tally)}); !put) {
    log::warning("tls_report.not_counted", {{"domain", counted.domain}, {"reason", put.error().context}});
  }
}

bool TlsReports::is_due(const store::TlsTallyRecord& tally) {
  const std::int64_t midnight = (static_cast<std::int64_t>(tally.day) + 1) * kDaySeconds;
  const Timestamp now = context_.clock.now();
  if (now.seconds() < midnight + delay_of(tally.domain)) return false;
  const std::lock_guard lock(mutex_);
  const auto again = again_.find({tally.day, tally.domain});
  return again == again_.end() || again->second <= now;
}

void TlsReports::send_due() {
  const auto snapshot = context_.store.snapshot();
  if (!snapshot) return;
  const Timestamp now = context_.clock.now();
  auto tallies = store::TlsReader(**snapshot).tls_tallies_before(day_of(now), kReportsAtOnce * 10);
  if (!tallies) return log::error("tls_report.read", {{"reason", tallies.error().context}});
  const auto from = submitter();
  std::size_t sent = 0;
  for (store::TlsTallyRecord& tally : *tallies) {
    const std::int64_t age = now.seconds() - (static_cast<std::int64_t>(tally.day) + 1) * kDaySeconds;
    if (age > kMaxDelaySeconds + kKeepSeconds) {
      remove(tally);
      continue;
    }
    if (!from || sent >= kReportsAtOnce || !is_due(tally)) continue;
    ++sent;
    auto errand = std::make_unique<Errand>(Errand{.tally = std::move(tally), .endpoints = {}, .submitter = *from});
    begin_work(1);
    const std::string name = record_name(errand->tally.domain);
    context_.resolver.resolve(name, dns::RecordType::kTxt, [this, errand = std::move(errand)](const dns::Answer& answer) mutable {
      if (is_temporary_answer(answer)) return attempted(std::move(errand), fail(ErrorKind::kUnavailable, answer.reason));
      errand->endpoints = endpoints_of(answer);
      context_.run_blocking([this, errand = std::move(errand)]() mutable { send(std::move(errand)); });
    });
  }
}

/// To the next endpoint. None left: nobody took it, unless nobody wants it any more.
void TlsReports::send(std::unique_ptr<Errand> errand) {
  if (errand->endpoints.empty()) return attempted(std::move(errand), Result<>{});
  if (errand->next >= errand->endpoints.size()) {
    return attempted(std::move(errand), fail(ErrorKind::kUnavailable, "no endpoint took the report"));
  }
  const mailauth::ReportEndpoint endpoint = errand->endpoints[errand->next++];
  if (endpoint.kind == mailauth::ReportEndpoint::Kind::kMail) return send_by_mail(std::move(errand), endpoint.target);
  std::string report = mailauth::gzip(to_json(make_tls_report(errand->tally, errand->submitter)));
  context_.fetcher.post(endpoint.target, std::move(report), [this, errand = std::move(errand)](Result<> posted) mutable {
    if (posted) return attempted(std::move(errand), Result<>{});
    log::info("tls_report.not_taken", {{"domain", errand->tally.domain}, {"reason", posted.error().context}});
    context_.run_blocking([this, errand = std::move(errand)]() mutable { send(std::move(errand)); });
  });
}

void TlsReports::send_by_mail(std::unique_ptr<Errand> errand, const std::string& recipient) {
  auto request = compose(*errand, recipient);
  if (!request) return attempted(std::move(errand), std::unexpected(request.error()));
  if (!*request) return attempted(std::move(errand), Result<>{});  // to nobody here
  std::set<std::string> domains;
  for (const store::QueuedRecipient& queued : (*request)->recipients) domains.insert(queued.domain);
  const auto added = context_.store.apply(**std::move(request));
  if (!added) return attempted(std::move(errand), std::unexpected(added.error()));
  for (const std::string& domain : domains) {
    if (context_.queued) context_.queued(domain);
  }
  attempted(std::move(errand), Result<>{});
}

Result<std::optional<store::AddMessage>> TlsReports::compose(const Errand& errand, const std::string& recipient) {
  const Timestamp now = context_.clock.now();
  const mailauth::TlsReport report = make_tls_report(errand.tally, errand.submitter);
  const std::string text = compose_report_message(report, errand.submitter, errand.tally.domain, recipient, now);
  const mail::Address address = POSTHUS_TRY(mail::parse_mailbox(recipient, mail::Utf8::kRefuse));
  // WHY: through the queue it would come back to ourselves, which is refused as a loop, and a returned report is told of next
  // day.
  if (POSTHUS_TRY(is_mailbox_domain(context_.store, address.domain))) {
    return make_own_message(
        context_.store,
        {.to = address, .text = text, .ignores_tls_policy = true, .event = "report", .from_domain = errand.submitter}, now);
  }
  store::IncomingMessage message = context_.store.begin_message();
  POSTHUS_TRY_VOID(message.append(text));
  POSTHUS_TRY_VOID(message.finish());
  const QueueId id = next_queue_id(now);
  store::AddMessage request{.message = std::move(message), .targets = {}, .internal_date = now};
  request.trace =
      R"({"time":")" + mail::format_rfc3339(now) + R"(","event":"accepted","id":")" + to_text(id) + R"(","detail":"TLS report"})";
  request.id = id;
  request.queue = store::QueueEntry{.id = id, .accepted = now, .origin = store::QueueOrigin::kReport};
  // §3: despite any TLS-related failures, and not counted in the next report.
  request.queue->ignores_tls_policy = true;
  // §3: reports by mail MUST be signed. Without a key it goes unsigned, for those who do not look.
  if (context_.sign) {
    Signature signature = POSTHUS_TRY(context_.sign(errand.submitter, text));
    request.queue->extra_header = std::move(signature.fields);
    request.queue->signing_domain = std::move(signature.domain);
  }
  request.recipients.push_back({.address = mail::to_string(address), .domain = address.domain, .notify = store::notify::kNever});
  return std::optional(std::move(request));
}

void TlsReports::attempted(std::unique_ptr<Errand> errand, const Result<>& result) {
  const store::TlsTallyRecord& tally = errand->tally;
  const Key key{tally.day, tally.domain};
  {
    const std::lock_guard lock(mutex_);
    if (result) {
      again_.erase(key);
    } else {
      if (again_.size() >= kMaxDomains) again_.clear();
      again_[key] = Timestamp::from_seconds(context_.clock.now().seconds() + kRetrySeconds);
    }
  }
  if (result) {
    remove(tally);
    log::info("tls_report.sent", {{"domain", tally.domain}});
  } else {
    log::info("tls_report.deferred", {{"domain", tally.domain}, {"reason", result.error().context}});
  }
  end_work();
}

void TlsReports::remove(const store::TlsTallyRecord& tally) {
  context_.store.submit(store::PutTlsTally{{.day = tally.day, .domain = tally.domain, .policies = {}}},
                        [](const Result<store::WriteOutcome>& outcome) {
                          if (!outcome) log::warning("tls_report.not_removed", {{"reason", outcome.error().context}});
                        });
}

// The domain of ours that our host name belongs to, else the first of ours: it has the keys to sign with.
Result<std::string> TlsReports::submitter() const {
  const auto snapshot = POSTHUS_TRY(context_.store.snapshot());
  const store::DirectoryReader directory(*snapshot);
  for (std::string_view rest = context_.hostname; rest.contains('.'); rest.remove_prefix(rest.find('.') + 1)) {
    if (POSTHUS_TRY(directory.domain(rest))) return std::string(rest);
  }
  const auto page = POSTHUS_TRY(directory.domains("", 1));
  if (page.items.empty()) return fail(ErrorKind::kNotFound, "no domain of ours to report from");
  return page.items.front().name;
}

}  // namespace posthus::smtp

// CREATE (RFC 9051 §6.3.4) with USE (CREATE-SPECIAL-USE, RFC 6154 §3, §5.3).
#include "core/base/ascii.h"
#include "imap/execution.h"
#include "imap/mailbox_name.h"
#include "imap/mailbox_place.h"

namespace posthus::imap {
namespace {

std::optional<store::SpecialUse> special_use_of(std::string_view attribute) {
  using enum store::SpecialUse;
  for (const auto use : {kDrafts, kSent, kJunk, kTrash, kArchive}) {
    if (ascii::equal_ignoring_case(attribute, special_use_attribute(use))) return use;
  }
  return std::nullopt;
}

class Create final : public Execution {
 public:
  explicit Create(CreateArguments arguments) : arguments_(std::move(arguments)) {}

  Progress run(SessionState& state, session::Output& out) override {
    if (is_written_) return written(state, out);
    name_ = arguments_.mailbox.name;
    // A trailing separator announces inferiors; the mailbox is made without it.
    if (name_.ends_with(kHierarchySeparator)) name_.pop_back();
    const auto place = find_place(state, name_);
    if (!place) return failed(place.error(), "Cannot create the mailbox");
    if (!*place) return done(kNotYours);
    if ((*place)->access != MailboxAccess::kFull) return done(kMayNotChange);
    store::CreateMailbox create{.account = (*place)->account, .name = (*place)->name};
    for (const auto& attribute : arguments_.uses) {
      const auto use = special_use_of(attribute);
      if (!use || arguments_.uses.size() > 1) return done("NO [USEATTR] Special use is not supported");
      create.special_use = *use;
    }
    is_written_ = true;
    return write(std::move(create));
  }

 private:
  Progress written(SessionState& state, session::Output& out) {
    if (!outcome) return failed(outcome.error(), "Cannot create the mailbox");
    const auto& argument = arguments_.mailbox;
    if (state.is_rev2 && argument.written != argument.name) {
      append_list_response(out, "", name_, argument.written, state.name_form());
    }
    return Progress::kDone;
  }

  const CreateArguments arguments_;
  std::string name_;
  bool is_written_ = false;
};

}  // namespace

Making make_create(SessionState&, Arguments arguments, Numbers) {
  return std::make_unique<Create>(std::get<CreateArguments>(std::move(arguments)));
}

}  // namespace posthus::imap

// Alerts in words: what happened, what it means, what to do, in the language of who reads it. Thread rule: pure functions.
#pragma once

#include <string>

#include "core/base/clock.h"
#include "core/mail/dsn.h"
#include "store/alert_records.h"

namespace posthus::web_admin {

struct AlertWords {
  std::string title;   // one line
  std::string what;    // one or two sentences
  std::string action;  // what to do
  std::string over;    // one line, for when it is over
};
/// `now`: when it is read; what has happened since an alert was opened is told as it is then.
AlertWords words_of(const store::AlertRecord& alert, mail::ReportLanguage language, Timestamp now);

/// Of an alert mail, around the words.
struct AlertMailWords {
  std::string_view alert, over;  // before the title in the subject
  std::string_view since, until, to_do, told_once;
  std::string_view test_title, test_text;
};
const AlertMailWords& alert_mail_words(mail::ReportLanguage language);

/// "en", "de" or "nb".
std::string_view language_tag(mail::ReportLanguage language);

}  // namespace posthus::web_admin

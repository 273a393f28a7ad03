// Dates of RFC 5322 §3.3 and §4.3, IMAP date and date-time (RFC 9051 §9) and RFC 3339 §5.6.
// Thread rule: pure functions, no locale, no time zone database. Known limit: years 1 to 9999.
// WHY: a mail's Date is read leniently (comments anywhere, obsolete zones, missing zone or weekday), since old mail has all of
// these; what IMAP clients send is read strictly.
#include "core/mail/date_time.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "core/base/ascii.h"

namespace posthus::mail {
namespace {

constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<std::string_view, 7> kWeekdays = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};  // day 0 was a Thursday
constexpr std::int64_t kSecondsPerDay = 86'400;

struct CivilDate {
  std::int64_t year = 1970;
  int month = 1;
  int day = 1;
};

struct CivilTime {
  int hour = 0, minute = 0, second = 0;
};

/// Days since 1970-01-01 in the proleptic Gregorian calendar: years begin in March, so that the leap day comes last.
std::int64_t days_from_civil(const CivilDate& date) {
  const std::int64_t year = date.month <= 2 ? date.year - 1 : date.year;
  const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
  const std::int64_t year_of_era = year - era * 400;
  const std::int64_t day_of_year = (153 * ((date.month + 9) % 12) + 2) / 5 + date.day - 1;
  return era * 146'097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719'468;
}

CivilDate civil_from_days(std::int64_t days) {
  days += 719'468;
  const std::int64_t era = (days >= 0 ? days : days - 146'096) / 146'097;
  const std::int64_t day_of_era = days - era * 146'097;
  const std::int64_t year_of_era = (day_of_era - day_of_era / 1'460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const std::int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t shifted_month = (5 * day_of_year + 2) / 153;
  const int day = static_cast<int>(day_of_year - (153 * shifted_month + 2) / 5 + 1);
  const int month = static_cast<int>(shifted_month < 10 ? shifted_month + 3 : shifted_month - 9);
  return {year_of_era + era * 400 + (month <= 2 ? 1 : 0), month, day};
}

bool is_valid(const CivilDate& date) {
  if (date.year < 1 || date.year > 9999 || date.month < 1 || date.month > 12 || date.day < 1) return false;
  constexpr std::array<int, 12> kLengths = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool is_leap = (date.year % 4 == 0 && date.year % 100 != 0) || date.year % 400 == 0;
  const int length = kLengths[static_cast<std::size_t>(date.month - 1)] + (date.month == 2 && is_leap ? 1 : 0);
  return date.day <= length;
}

// RFC 5322 §3.3: seconds go to 60, for a leap second.
bool is_valid(const CivilTime& time) { return time.hour <= 23 && time.minute <= 59 && time.second <= 60; }

DateTime make_date_time(const CivilDate& date, const CivilTime& time, int zone_minutes) {
  DateTime result;
  result.local_day = days_from_civil(date);
  result.zone_minutes = zone_minutes;
  const std::int64_t seconds = result.local_day * kSecondsPerDay + time.hour * 3'600 + time.minute * 60 + time.second;
  result.time = Timestamp::from_seconds(seconds - zone_minutes * 60);
  return result;
}

std::optional<int> month_number(std::string_view name) {
  for (std::size_t i = 0; i < kMonths.size(); ++i) {
    if (ascii::equal_ignoring_case(kMonths[i], name)) return static_cast<int>(i) + 1;
  }
  return std::nullopt;
}

// CFWS = (1*([FWS] comment) [FWS]) / FWS ; comments nest and hold quoted pairs (RFC 5322 §3.2.2)
void skip_date_cfws(std::string_view& text) {
  std::size_t depth = 0, i = 0;
  for (; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '(') {
      ++depth;
    } else if (depth > 0) {
      if (c == '\\') ++i;
      if (c == ')') --depth;
    } else if (!ascii::is_space_or_tab(c) && c != '\r' && c != '\n') {
      break;
    }
  }
  text.remove_prefix(std::min(i, text.size()));
}

template <class Predicate>
std::string_view take_while(std::string_view& text, Predicate accepts) {
  std::size_t length = 0;
  while (length < text.size() && accepts(text[length])) ++length;
  const std::string_view taken = text.substr(0, length);
  text.remove_prefix(length);
  return taken;
}

bool take_char(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

/// A number of `least` to `most` digits, not followed by a further digit.
std::optional<int> take_number(std::string_view& text, std::size_t least, std::size_t most) {
  const std::string_view digits = take_while(text, ascii::is_digit);
  if (digits.size() < least || digits.size() > most) return std::nullopt;
  int value = 0;
  for (const char c : digits) value = value * 10 + (c - '0');
  return value;
}

/// Exactly `count` digits, whatever follows.
std::optional<int> take_digits(std::string_view& text, std::size_t count) {
  std::string_view digits = text.substr(0, count);
  text.remove_prefix(digits.size());
  return take_number(digits, count, count);
}

// zone = (FWS ( "+" / "-" ) 4DIGIT)
std::optional<int> numeric_zone(std::string_view& text) {
  const bool is_west = text.starts_with('-');
  if (!is_west && !text.starts_with('+')) return std::nullopt;
  text.remove_prefix(1);
  const std::optional<int> value = take_number(text, 4, 4);
  if (!value || *value % 100 > 59) return std::nullopt;
  const int minutes = *value / 100 * 60 + *value % 100;
  return is_west ? -minutes : minutes;
}

// obs-zone = "UT" / "GMT" / "EST" / "EDT" / "CST" / "CDT" / "MST" / "MDT" / "PST" / "PDT" / military letters
/// RFC 5322 §4.3: military and unknown zones count as -0000.
int named_zone(std::string_view name) {
  struct Zone {
    std::string_view name;
    int hours;
  };
  constexpr std::array<Zone, 8> kZones = {
      {{"EST", -5}, {"EDT", -4}, {"CST", -6}, {"CDT", -5}, {"MST", -7}, {"MDT", -6}, {"PST", -8}, {"PDT", -7}}};
  for (const Zone& zone : kZones) {
    if (ascii::equal_ignoring_case(zone.name, name)) return zone.hours * 60;
  }
  return 0;
}

// year = (FWS 4*DIGIT FWS) / obs-year ; obs-year = [CFWS] 2*DIGIT [CFWS]
std::optional<int> rfc5322_year(std::string_view& text) {
  const std::string_view before = text;
  std::optional<int> year = take_number(text, 2, 4);
  if (!year) return std::nullopt;
  const std::size_t digits = before.size() - text.size();
  if (digits == 2) return *year + (*year < 50 ? 2000 : 1900);
  if (digits == 3) return *year + 1900;
  return year;
}

// date = day month year
std::optional<CivilDate> rfc5322_date(std::string_view& text) {
  CivilDate date;
  const auto skip_separator = [&] {  // QUIRK(old mailers): "21-Nov-97"
    skip_date_cfws(text);
    if (take_char(text, '-')) skip_date_cfws(text);
  };
  const std::optional<int> day = take_number(text, 1, 2);
  skip_separator();
  const std::optional<int> month = month_number(take_while(text, ascii::is_alpha).substr(0, 3));
  skip_separator();
  const std::optional<int> year = rfc5322_year(text);
  if (!day || !month || !year) return std::nullopt;
  date = {*year, *month, *day};
  return is_valid(date) ? std::optional(date) : std::nullopt;
}

// time-of-day = hour ":" minute [ ":" second ]
std::optional<CivilTime> rfc5322_time_of_day(std::string_view& text) {
  const std::optional<int> hour = take_number(text, 1, 2);
  skip_date_cfws(text);
  if (!hour || !take_char(text, ':')) return std::nullopt;
  skip_date_cfws(text);
  const std::optional<int> minute = take_number(text, 1, 2);
  skip_date_cfws(text);
  std::optional<int> second = 0;
  if (take_char(text, ':')) {
    skip_date_cfws(text);
    second = take_number(text, 1, 2);
  }
  if (!minute || !second) return std::nullopt;
  const CivilTime time{*hour, *minute, *second};
  return is_valid(time) ? std::optional(time) : std::nullopt;
}

// date-day "-" date-month "-" date-year
std::optional<CivilDate> imap_date(std::string_view& text, std::size_t least_day_digits) {
  const std::optional<int> day = take_number(text, least_day_digits, 2);
  if (!day || !take_char(text, '-')) return std::nullopt;
  const std::optional<int> month = month_number(take_while(text, ascii::is_alpha));
  if (!month || !take_char(text, '-')) return std::nullopt;
  const std::optional<int> year = take_number(text, 4, 4);
  if (!year) return std::nullopt;
  const CivilDate date{*year, *month, *day};
  return is_valid(date) ? std::optional(date) : std::nullopt;
}

// time = 2DIGIT ":" 2DIGIT ":" 2DIGIT
std::optional<CivilTime> colon_time(std::string_view& text) {
  const std::optional<int> hour = take_digits(text, 2);
  if (!hour || !take_char(text, ':')) return std::nullopt;
  const std::optional<int> minute = take_digits(text, 2);
  if (!minute || !take_char(text, ':')) return std::nullopt;
  const std::optional<int> second = take_digits(text, 2);
  if (!second) return std::nullopt;
  const CivilTime time{*hour, *minute, *second};
  return is_valid(time) ? std::optional(time) : std::nullopt;
}

struct LocalFields {
  CivilDate date;
  CivilTime time;
  std::size_t weekday = 0;  // index into kWeekdays
};

LocalFields local_fields(Timestamp timestamp, int zone_minutes) {
  std::int64_t seconds = timestamp.microseconds / 1'000'000;
  if (timestamp.microseconds % 1'000'000 < 0) --seconds;
  seconds += zone_minutes * std::int64_t{60};
  std::int64_t day = seconds / kSecondsPerDay;
  int rest = static_cast<int>(seconds % kSecondsPerDay);
  if (rest < 0) {
    rest += static_cast<int>(kSecondsPerDay);
    --day;
  }
  LocalFields fields;
  fields.date = civil_from_days(day);
  fields.time = {rest / 3'600, rest / 60 % 60, rest % 60};
  fields.weekday = static_cast<std::size_t>(((day % 7) + 7) % 7);
  return fields;
}

std::string_view month_name(int month) { return kMonths[static_cast<std::size_t>(month - 1)]; }

/// A date as text, put together without printf: it stands in every message that comes and in every row of a listing.
class DateText {
 public:
  DateText() { text_.reserve(32); }
  DateText& text(std::string_view part) {
    text_ += part;
    return *this;
  }
  DateText& number(std::int64_t value, std::size_t width, char pad = '0') {
    std::array<char, 24> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
    const auto length = static_cast<std::size_t>(end - digits.data());
    if (length < width) text_.append(width - length, pad);
    text_.append(digits.data(), length);
    return *this;
  }
  DateText& time_of_day(const CivilTime& time) {
    return number(time.hour, 2).text(":").number(time.minute, 2).text(":").number(time.second, 2);
  }
  DateText& zone(int minutes) {
    const int size = minutes < 0 ? -minutes : minutes;
    return text(minutes < 0 ? " -" : " +").number(size / 60, 2).number(size % 60, 2);
  }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

}  // namespace

// date-time = [ day-of-week "," ] date time [CFWS]
std::optional<DateTime> parse_rfc5322_date(std::string_view text) {
  skip_date_cfws(text);
  if (!text.empty() && ascii::is_alpha(text.front())) {
    take_while(text, ascii::is_alpha);
    skip_date_cfws(text);
    take_char(text, ',');
    skip_date_cfws(text);
  }
  const std::optional<CivilDate> date = rfc5322_date(text);
  skip_date_cfws(text);
  if (!date) return std::nullopt;
  const std::optional<CivilTime> time = rfc5322_time_of_day(text);
  skip_date_cfws(text);
  if (!time) return std::nullopt;
  const std::string_view zone_name = take_while(text, ascii::is_alpha);
  const int zone = zone_name.empty() ? numeric_zone(text).value_or(0) : named_zone(zone_name);
  return make_date_time(*date, *time, zone);
}

std::string format_rfc5322_date(Timestamp time, int zone_minutes) {
  const LocalFields local = local_fields(time, zone_minutes);
  DateText out;
  out.text(kWeekdays[local.weekday]).text(", ").number(local.date.day, 2).text(" ").text(month_name(local.date.month));
  out.text(" ").number(local.date.year, 4).text(" ").time_of_day(local.time).zone(zone_minutes);
  return out.take();
}

// date-time = DQUOTE date-day-fixed "-" date-month "-" date-year SP time SP zone DQUOTE ; date-day-fixed = (SP DIGIT) / 2DIGIT
std::optional<DateTime> parse_imap_date_time(std::string_view text) {
  const bool has_leading_space = take_char(text, ' ');
  const std::optional<CivilDate> date = imap_date(text, has_leading_space ? 1 : 2);
  if (!date || (has_leading_space && date->day > 9) || !take_char(text, ' ')) return std::nullopt;
  const std::optional<CivilTime> time = colon_time(text);
  if (!time || !take_char(text, ' ')) return std::nullopt;
  const std::optional<int> zone = numeric_zone(text);
  if (!zone || !text.empty()) return std::nullopt;
  return make_date_time(*date, *time, *zone);
}

std::string format_imap_date_time(Timestamp time, int zone_minutes) {
  const LocalFields local = local_fields(time, zone_minutes);
  DateText out;
  out.number(local.date.day, 2, ' ').text("-").text(month_name(local.date.month)).text("-").number(local.date.year, 4);
  out.text(" ").time_of_day(local.time).zone(zone_minutes);
  return out.take();
}

// date-text = date-day "-" date-month "-" date-year ; date-day = 1*2DIGIT
std::optional<std::int64_t> parse_imap_date(std::string_view text) {
  const std::optional<CivilDate> date = imap_date(text, 1);
  if (!date || !text.empty()) return std::nullopt;
  return days_from_civil(*date);
}

std::string format_rfc3339(Timestamp time) {
  const LocalFields local = local_fields(time, 0);
  DateText out;
  out.number(local.date.year, 4).text("-").number(local.date.month, 2).text("-").number(local.date.day, 2);
  out.text("T").time_of_day(local.time).text("Z");
  return out.take();
}

// date-time = full-date "T" partial-time [time-secfrac] ("Z" / time-numoffset)
std::optional<Timestamp> parse_rfc3339(std::string_view text) {
  const std::optional<int> year = take_digits(text, 4);
  if (!year || !take_char(text, '-')) return std::nullopt;
  const std::optional<int> month = take_digits(text, 2);
  if (!month || !take_char(text, '-')) return std::nullopt;
  const std::optional<int> day = take_digits(text, 2);
  if (!day || !(take_char(text, 'T') || take_char(text, 't'))) return std::nullopt;
  const CivilDate date{*year, *month, *day};
  const std::optional<CivilTime> time = colon_time(text);
  if (!is_valid(date) || !time) return std::nullopt;

  std::int64_t microseconds = 0;
  if (take_char(text, '.')) {
    const std::string_view fraction = take_while(text, ascii::is_digit);
    if (fraction.empty()) return std::nullopt;
    for (std::size_t i = 0; i < 6; ++i) microseconds = microseconds * 10 + (i < fraction.size() ? fraction[i] - '0' : 0);
  }
  int zone = 0;
  if (!take_char(text, 'Z') && !take_char(text, 'z')) {
    const bool is_west = text.starts_with('-');
    if (!take_char(text, '+') && !take_char(text, '-')) return std::nullopt;
    const std::optional<int> hours = take_digits(text, 2);
    if (!hours || *hours > 23 || !take_char(text, ':')) return std::nullopt;
    const std::optional<int> minutes = take_digits(text, 2);
    if (!minutes || *minutes > 59) return std::nullopt;
    zone = (*hours * 60 + *minutes) * (is_west ? -1 : 1);
  }
  if (!text.empty()) return std::nullopt;
  Timestamp timestamp = make_date_time(date, *time, zone).time;
  timestamp.microseconds += microseconds;
  return timestamp;
}

}  // namespace posthus::mail

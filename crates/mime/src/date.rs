//! Date-times of messages (RFC 5322 §3.3, with the obsolete forms of §4.3).

use std::fmt;

use crate::structured::{Lexer, is_blank};

const DAY: i64 = 86_400;
const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A moment, and the zone its sender wrote it in. Shown as RFC 5322 §3.3 has it: `Mon, 23 Nov 2026 12:35:06 +0000`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DateTime {
    /// Seconds since 1970-01-01 00:00:00 UTC.
    pub unix: i64,
    /// Minutes that the zone is ahead of UTC.
    pub offset: i16,
}

/// A moment on the calendar and clock of a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Civil {
    pub year: i64,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    pub hour: u8,
    pub minute: u8,
    pub second: u8,
    /// Days since Monday, 0 to 6.
    pub weekday: u8,
}

impl DateTime {
    /// A moment in UTC.
    pub fn utc(unix: i64) -> Self {
        Self { unix, offset: 0 }
    }

    /// What calendar and clock showed in the zone it was written in. IMAP's SENTON and its kin compare this date, whatever
    /// the zone (RFC 3501 §6.4.4).
    pub fn civil(self) -> Civil {
        let local = self.unix.saturating_add(i64::from(self.offset) * 60);
        let days = local.div_euclid(DAY);
        let second = local.rem_euclid(DAY);
        let (year, month, day) = date_of(days);
        Civil {
            year,
            month,
            day,
            hour: (second / 3600) as u8,
            minute: (second / 60 % 60) as u8,
            second: (second % 60) as u8,
            weekday: (days + 3).rem_euclid(7) as u8, // 1970-01-01 was a Thursday
        }
    }
}

impl fmt::Display for DateTime {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let civil = self.civil();
        let weekday = WEEKDAYS.get(usize::from(civil.weekday)).copied().unwrap_or_default();
        let month = MONTHS.get(usize::from(civil.month).wrapping_sub(1)).copied().unwrap_or_default();
        let sign = if self.offset < 0 { '-' } else { '+' };
        let offset = self.offset.unsigned_abs();
        write!(
            formatter,
            "{weekday}, {} {month} {:04} {:02}:{:02}:{:02} {sign}{:02}{:02}",
            civil.day,
            civil.year,
            civil.hour,
            civil.minute,
            civil.second,
            offset / 60,
            offset % 60
        )
    }
}

/// Parses an unfolded date-time. The day of the week is not judged, seconds and zone may be missing, comments and blanks
/// may stand between any two words.
pub fn parse(value: &[u8]) -> Option<DateTime> {
    let mut words = Words { lexer: Lexer::new(value) };
    let mut word = words.next()?;
    if word.first()?.is_ascii_alphabetic() {
        word = words.next()?;
    }
    let (day, month, year) = match number(word) {
        Some(day) => (day, month(words.next()?)?, words.next()?),
        // `23-Nov-2026`, as some mailers write.
        None => {
            let mut pieces = word.splitn(3, |&octet| octet == b'-');
            (number(pieces.next()?)?, month(pieces.next()?)?, pieces.next()?)
        }
    };
    let year = full_year(year)?;
    if !(1..=days_in_month(year, month)).contains(&day) {
        return None;
    }
    let mut clock = words.clock()?;
    let zone = words.next();
    // RFC 5322 §3.3: 60 is a leap second, which POSIX time has no number for.
    if clock.hour > 23 || clock.minute > 59 || clock.second > 60 {
        return None;
    }
    clock.second = clock.second.min(59);
    let offset = zone.map_or(0, offset_of);
    let local = days_of(year, month, day) * DAY + clock.hour * 3600 + clock.minute * 60 + clock.second;
    Some(DateTime { unix: local - i64::from(offset) * 60, offset })
}

struct Clock {
    hour: i64,
    minute: i64,
    second: i64,
}

struct Words<'a> {
    lexer: Lexer<'a>,
}

impl<'a> Words<'a> {
    /// The next word; commas part words as blanks do, colons are left for the clock.
    fn next(&mut self) -> Option<&'a [u8]> {
        loop {
            self.lexer.skip_blanks();
            if !self.lexer.eat(b',') {
                break;
            }
        }
        let word = self.lexer.run(|octet| is_blank(octet) || matches!(octet, b',' | b'(' | b':'));
        (!word.is_empty()).then_some(word)
    }

    /// `hour ":" minute [ ":" second ]`, with the blanks and comments of RFC 5322 §4.3.
    fn clock(&mut self) -> Option<Clock> {
        let hour = number(self.next()?)?;
        let minute = number(self.after_colon()?)?;
        let second = match self.after_colon() {
            Some(second) => number(second)?,
            None => 0,
        };
        Some(Clock { hour, minute, second })
    }

    fn after_colon(&mut self) -> Option<&'a [u8]> {
        self.lexer.skip_blanks();
        if self.lexer.eat(b':') { self.next() } else { None }
    }
}

/// One to four digits.
fn number(word: &[u8]) -> Option<i64> {
    if word.is_empty() || word.len() > 4 {
        return None;
    }
    word.iter().try_fold(0, |number, octet| octet.is_ascii_digit().then(|| number * 10 + i64::from(octet - b'0')))
}

fn month(word: &[u8]) -> Option<u8> {
    let short = word.get(..3)?;
    let place = MONTHS.iter().position(|month| month.as_bytes().eq_ignore_ascii_case(short))?;
    Some(place as u8 + 1)
}

fn full_year(word: &[u8]) -> Option<i64> {
    let year = number(word)?;
    // RFC 5322 §4.3: two digits below 50 are of this century; other short years count from 1900.
    match word.len() {
        1 | 2 if year < 50 => Some(2000 + year),
        1..=3 => Some(1900 + year),
        _ => Some(year),
    }
}

/// Minutes ahead of UTC; 0 for a zone that is not known (RFC 5322 §4.3: military and other letters mean `-0000`).
fn offset_of(zone: &[u8]) -> i16 {
    let names: [(&[u8], i16); 10] = [
        (b"UT", 0),
        (b"GMT", 0),
        (b"EDT", -4),
        (b"EST", -5),
        (b"CDT", -5),
        (b"CST", -6),
        (b"MDT", -6),
        (b"MST", -7),
        (b"PDT", -7),
        (b"PST", -8),
    ];
    if let Some((_, hours)) = names.iter().find(|(name, _)| name.eq_ignore_ascii_case(zone)) {
        return hours * 60;
    }
    let (sign, digits) = match zone {
        [b'+', digits @ ..] => (1, digits),
        [b'-', digits @ ..] => (-1, digits),
        _ => return 0,
    };
    match number(digits).filter(|_| digits.len() == 4) {
        Some(digits) if digits % 100 < 60 => sign * (digits / 100 * 60 + digits % 100) as i16,
        _ => 0,
    }
}

fn days_in_month(year: i64, month: u8) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

// The two below count years from March, so that the leap day is the last of its year, in eras of 400 years.

/// Days since 1970-01-01 of a date of the Gregorian calendar.
fn days_of(year: i64, month: u8, day: i64) -> i64 {
    let month = i64::from(month);
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

fn date_of(days: i64) -> (i64, u8, u8) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month as u8, day as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_understood() {
        let cases: [(&[u8], i64, i16); 18] = [
            (b"Thu, 1 Jan 1970 00:00:00 +0000", 0, 0),
            (b"Mon, 23 Nov 2026 12:35:06 +0000", 1_795_437_306, 0),
            (b"Mon, 23 Nov 2026 14:05:06 +0130", 1_795_437_306, 90),
            (b"Mon, 23 Nov 2026 04:35:06 -0800", 1_795_437_306, -480),
            (b"23 Nov 2026 12:35:06 GMT", 1_795_437_306, 0),
            (b"23 Nov 2026 04:35:06 PST", 1_795_437_306, -480),
            (b"23 Nov 26 12:35:06 +0000", 1_795_437_306, 0),
            (b"23-Nov-2026 12:35:06 +0000", 1_795_437_306, 0),
            (b"23 november 2026 12:35:06", 1_795_437_306, 0),
            (b"Mon (a), 23 (b) Nov 2026 12 : 35 : 06 (c) +0000 (UTC)", 1_795_437_306, 0),
            (b"Mon, 23 Nov 2026 12:35 +0000", 1_795_437_300, 0),
            (b"21 Nov 97 09:55:06 -0600", 880_127_706, -360),
            (b"1 Jan 049 00:00:00 +0000", -662_688_000, 0),
            (b"29 Feb 2024 00:00:00 +0000", 1_709_164_800, 0),
            (b"31 Dec 1969 23:59:60 Z", -1, 0),
            (b"1 Jan 1970 00:00:00 +9999", 0, 0),
            (b"1 Jan 0000 00:00:00 +0000", -62_167_219_200, 0),
            (b"31 Dec 9999 23:59:59 +0000", 253_402_300_799, 0),
        ];
        for (value, unix, offset) in cases {
            assert_eq!(parse(value), Some(DateTime { unix, offset }), "{}", value.escape_ascii());
        }
    }

    #[test]
    fn what_is_no_date_is_refused() {
        let cases: [&[u8]; 14] = [
            b"",
            b"yesterday",
            b"Mon,",
            b"0 Jan 2026 00:00:00",
            b"32 Jan 2026 00:00:00",
            b"29 Feb 2026 00:00:00",
            b"1 Xxx 2026 00:00:00",
            b"1 Jan 2026 24:00:00",
            b"1 Jan 2026 00:60:00",
            b"1 Jan 2026 00:00:61",
            b"1 Jan 2026 00",
            b"1 Jan 2026",
            b"1 Jan 99999 00:00:00",
            b"1 Jan 2026 a:00",
        ];
        for value in cases {
            assert_eq!(parse(value), None, "{}", value.escape_ascii());
        }
    }

    #[test]
    fn a_date_shown_is_understood_again() {
        for unix in (-70_000_000_000..250_000_000_000).step_by(1_234_567_891) {
            for offset in [-720, -90, 0, 1, 840] {
                let date = DateTime { unix, offset };
                let shown = date.to_string();
                if date.civil().year >= 0 {
                    assert_eq!(parse(shown.as_bytes()), Some(date), "{shown}");
                }
            }
        }
    }

    #[test]
    fn dates_are_shown_as_the_standard_has_it() {
        assert_eq!(DateTime::utc(1_795_437_306).to_string(), "Mon, 23 Nov 2026 12:35:06 +0000");
        let date = DateTime { unix: 880_127_706, offset: -360 };
        assert_eq!(date.to_string(), "Fri, 21 Nov 1997 09:55:06 -0600");
        assert!(!DateTime { unix: i64::MAX, offset: i16::MAX }.to_string().is_empty());
        assert!(!DateTime { unix: i64::MIN, offset: i16::MIN }.to_string().is_empty());
    }
}

//! Dates as SEARCH and APPEND give them (RFC 3501 §9: date, date-time).

/// A calendar day. Ordered by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

impl Date {
    pub const MONTHS: [&'static str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

    /// `None` for a day that the calendar does not have.
    pub fn new(year: u16, month: u8, day: u8) -> Option<Self> {
        let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let days = match month {
            4 | 6 | 9 | 11 => 30,
            2 if leap => 29,
            2 => 28,
            1..=12 => 31,
            _ => return None,
        };
        (year <= 9999 && (1..=days).contains(&day)).then_some(Self { year, month, day })
    }

    /// The day that `days` after 1970-01-01 is (the years 0 to 9999; beyond them the nearest).
    pub fn from_days(days: i64) -> Self {
        // Howard Hinnant's civil_from_days: years begin in March, so that the leap day comes last.
        let shifted = days.clamp(-719_528, 2_932_896) + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
        let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        Self { year: year as u16, month: month as u8, day: day as u8 }
    }

    /// Days since 1970-01-01.
    pub fn days(self) -> i64 {
        let year = i64::from(self.year) - i64::from(self.month <= 2);
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let shifted_month = (i64::from(self.month) + 9) % 12;
        let day_of_year = (153 * shifted_month + 2) / 5 + i64::from(self.day) - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        era * 146_097 + day_of_era - 719_468
    }

    pub fn year(self) -> u16 {
        self.year
    }

    pub fn month(self) -> u8 {
        self.month
    }

    pub fn day(self) -> u8 {
        self.day
    }

    /// `Jan` and so on.
    pub fn month_name(self) -> &'static str {
        Self::MONTHS.get(usize::from(self.month) - 1).copied().unwrap_or("Jan")
    }
}

/// A moment with the zone it was written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DateTime {
    /// Since 1970-01-01 00:00:00 UTC.
    pub seconds: i64,
    /// East of UTC.
    pub offset_minutes: i16,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates_are_inverse_over_all_years() {
        let mut previous = Date::from_days(-719_528);
        assert_eq!((previous.year, previous.month, previous.day), (0, 1, 1));
        for days in -719_527..=2_932_896 {
            let date = Date::from_days(days);
            assert_eq!(date.days(), days);
            assert!(date > previous);
            assert_eq!(Date::new(date.year, date.month, date.day), Some(date));
            previous = date;
        }
        assert_eq!((previous.year, previous.month, previous.day), (9999, 12, 31));
    }

    #[test]
    fn days_that_no_calendar_has_are_refused() {
        assert!(Date::new(2000, 2, 29).is_some());
        for (year, month, day) in
            [(1900, 2, 29), (2001, 2, 29), (2001, 4, 31), (2001, 13, 1), (2001, 0, 1), (2001, 1, 0)]
        {
            assert_eq!(Date::new(year, month, day), None);
        }
    }
}

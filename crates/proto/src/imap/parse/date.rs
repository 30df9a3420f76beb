use super::ParseError::{Expected, Invalid};
use super::{Cursor, Result};
use crate::imap::command::{Date, DateTime};

/// RFC 3501 §9: date, quoted or not.
pub fn date(cursor: &mut Cursor<'_>) -> Result<Date> {
    let quoted = cursor.eat(b'"');
    let date = date_text(cursor)?;
    if quoted {
        cursor.expect(b'"', "the closing quote of a date")?;
    }
    Ok(date)
}

/// RFC 3501 §9: date-time. A day of one digit is taken with and without the space before it.
pub fn date_time(cursor: &mut Cursor<'_>) -> Result<DateTime> {
    const WHAT: &str = "a date and time like \" 1-Feb-2003 04:05:06 +0000\"";
    cursor.expect(b'"', WHAT)?;
    cursor.skip_spaces();
    let date = date_text(cursor)?;
    cursor.expect(b' ', WHAT)?;
    let hour = two_digits(cursor, WHAT)?;
    cursor.expect(b':', WHAT)?;
    let minute = two_digits(cursor, WHAT)?;
    cursor.expect(b':', WHAT)?;
    let second = two_digits(cursor, WHAT)?;
    cursor.expect(b' ', WHAT)?;
    let west = cursor.eat(b'-');
    if !west {
        cursor.expect(b'+', WHAT)?;
    }
    let zone_hour = two_digits(cursor, WHAT)?;
    let zone_minute = two_digits(cursor, WHAT)?;
    cursor.expect(b'"', WHAT)?;
    // RFC 5322 §3.3: 60 is a leap second.
    if hour > 23 || minute > 59 || second > 60 || zone_hour > 23 || zone_minute > 59 {
        return Err(Invalid("A time has a number out of range."));
    }
    let offset_minutes = (zone_hour * 60 + zone_minute) * if west { -1 } else { 1 };
    let local = date.days() * 86_400 + i64::from(hour * 60 + minute) * 60 + i64::from(second);
    Ok(DateTime { seconds: local - i64::from(offset_minutes) * 60, offset_minutes })
}

fn date_text(cursor: &mut Cursor<'_>) -> Result<Date> {
    const WHAT: &str = "a date like 1-Feb-2003";
    let day = digits(cursor, 1..=2, WHAT)?;
    cursor.expect(b'-', WHAT)?;
    let month = cursor.take_while(|b| b.is_ascii_alphabetic());
    let month = Date::MONTHS.iter().position(|name| name.as_bytes().eq_ignore_ascii_case(month));
    cursor.expect(b'-', WHAT)?;
    let year = digits(cursor, 4..=4, WHAT)?;
    let month = month.ok_or(Expected(WHAT))? as u8 + 1;
    Date::new(year as u16, month, day as u8).ok_or(Invalid("The calendar does not have that date."))
}

fn two_digits(cursor: &mut Cursor<'_>, what: &'static str) -> Result<i16> {
    let digits = cursor.take_exactly(2, |b| b.is_ascii_digit()).ok_or(Expected(what))?;
    Ok(digits.iter().fold(0, |n, &b| n * 10 + i16::from(b - b'0')))
}

fn digits(cursor: &mut Cursor<'_>, length: std::ops::RangeInclusive<usize>, what: &'static str) -> Result<i16> {
    let digits = cursor.take_while(|b| b.is_ascii_digit());
    if !length.contains(&digits.len()) {
        return Err(Expected(what));
    }
    Ok(digits.iter().fold(0, |n, &b| n * 10 + i16::from(b - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_with_and_without_quotes() {
        let read = |text: &str| date(&mut Cursor::new(text.as_bytes())).ok();
        assert_eq!(read("1-Feb-1994"), Date::new(1994, 2, 1));
        assert_eq!(read("\"01-fEB-1994\""), Date::new(1994, 2, 1));
        for wrong in
            ["30-Feb-1994", "1-Fev-1994", "1-Feb-94", "001-Feb-1994", "\"1-Feb-1994", "-Feb-1994", "1 Feb 1994"]
        {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn times_are_read_with_their_zone() {
        let read = |text: &str| date_time(&mut Cursor::new(text.as_bytes())).ok();
        let at = |seconds, offset_minutes| Some(DateTime { seconds, offset_minutes });
        assert_eq!(read("\"17-Jul-1996 02:44:25 -0700\""), at(837_596_665, -420));
        assert_eq!(read("\" 1-Jan-1970 01:29:59 +0130\""), at(-1, 90));
        assert_eq!(read("\"1-Jan-1970 00:00:00 +0000\""), at(0, 0));
        for wrong in [
            "17-Jul-1996 02:44:25 -0700",
            "\"17-Jul-1996 24:44:25 -0700\"",
            "\"17-Jul-1996 02:60:25 -0700\"",
            "\"17-Jul-1996 02:44:61 -0700\"",
            "\"17-Jul-1996 02:44:25 0700\"",
            "\"17-Jul-1996 02:44:25 -070\"",
            "\"17-Jul-1996 2:44:25 -0700\"",
            "\"17-Jul-1996 02:44:25 -0700",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}

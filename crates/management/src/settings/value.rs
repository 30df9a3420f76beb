//! How each type of value is written and read.

use std::net::SocketAddr;
use std::time::Duration;

use identity::{ExtendedProtection, LoginType};
use serde_json::Value;

use super::{Invalid, StartupType};

/// A type that a setting can have. `read` takes what `write` made, and what an administrator types.
pub trait SettingValue: Sized {
    const FORM: &'static str;
    fn read(value: &Value) -> Result<Self, Invalid>;
    fn write(&self) -> Value;
}

fn expected<T: SettingValue>() -> Invalid {
    Invalid(format!("expected {}", T::FORM))
}

impl SettingValue for String {
    // What is said in the protocols is ASCII (RFC 1939 §3, RFC 3501 §9, RFC 5321 §4.2).
    const FORM: &'static str = "a text of at most 200 letters, digits and signs of ASCII";

    fn read(value: &Value) -> Result<Self, Invalid> {
        let text = value.as_str().ok_or_else(expected::<Self>)?;
        let fits = text.len() <= 200 && text.bytes().all(|octet| matches!(octet, b' '..=b'~'));
        fits.then(|| text.to_owned()).ok_or_else(expected::<Self>)
    }

    fn write(&self) -> Value {
        self.as_str().into()
    }
}

/// What a directory is asked by: names and filters, which are long and of any letters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LongText(String);

impl From<&str> for LongText {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl std::ops::Deref for LongText {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl SettingValue for LongText {
    const FORM: &'static str = "a text of at most 2000 octets without control characters";

    fn read(value: &Value) -> Result<Self, Invalid> {
        let text = value.as_str().ok_or_else(expected::<Self>)?;
        let fits = text.len() <= 2000 && !text.chars().any(char::is_control);
        fits.then(|| text.into()).ok_or_else(expected::<Self>)
    }

    fn write(&self) -> Value {
        self.0.as_str().into()
    }
}

/// The name that clients connect to: a domain or an address (RFC 5321 §4.1.3); empty for the machine's own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostName(String);

impl HostName {
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let text = text.trim();
        let is_address = text.parse::<std::net::IpAddr>().is_ok();
        if text.is_empty() || is_address || store::AcceptedDomain::parse_name(text).is_ok() {
            return Ok(Self(text.to_ascii_lowercase()));
        }
        Err(expected::<Self>())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl SettingValue for HostName {
    const FORM: &'static str =
        "a host name of ASCII letters, digits, hyphens and dots, such as mail.example.test, or an address";

    fn read(value: &Value) -> Result<Self, Invalid> {
        Self::parse(value.as_str().ok_or_else(expected::<Self>)?)
    }

    fn write(&self) -> Value {
        self.as_str().into()
    }
}

impl SettingValue for u32 {
    const FORM: &'static str = "a whole number";

    fn read(value: &Value) -> Result<Self, Invalid> {
        let number = value.as_u64().or_else(|| value.as_str()?.trim().parse().ok());
        number.and_then(|n| n.try_into().ok()).ok_or_else(expected::<Self>)
    }

    fn write(&self) -> Value {
        (*self).into()
    }
}

impl SettingValue for u64 {
    const FORM: &'static str = "a number of octets, or one with KB, MB, GB or TB";

    fn read(value: &Value) -> Result<Self, Invalid> {
        if let Some(number) = value.as_u64() {
            return Ok(number);
        }
        let text = value.as_str().ok_or_else(expected::<Self>)?.trim().to_ascii_uppercase();
        let units = [("KB", 1u64 << 10), ("MB", 1 << 20), ("GB", 1 << 30), ("TB", 1 << 40), ("", 1)];
        let parsed = units.into_iter().find_map(|(suffix, unit)| octets(text.strip_suffix(suffix)?.trim_end(), unit));
        parsed.ok_or_else(expected::<Self>)
    }

    fn write(&self) -> Value {
        (*self).into()
    }
}

/// `0.5` of a unit too; of one octet there are no parts.
fn octets(number: &str, unit: u64) -> Option<u64> {
    let (whole, parts) = number.split_once('.').unwrap_or((number, ""));
    let has_parts = !parts.is_empty();
    if has_parts && (unit == 1 || parts.len() > 9) || number.ends_with('.') || number.contains('+') {
        return None;
    }
    let whole = whole.parse::<u64>().ok()?.checked_mul(unit)?;
    let parts = if has_parts {
        let digits = u32::try_from(parts.len()).ok()?;
        u128::from(parts.parse::<u64>().ok()?) * u128::from(unit) / 10u128.checked_pow(digits)?
    } else {
        0
    };
    whole.checked_add(parts.try_into().ok()?)
}

impl SettingValue for Duration {
    const FORM: &'static str =
        "a time such as 00:30:00 (hours:minutes:seconds), 14.00:00:00 (days first) or a number of seconds";

    fn read(value: &Value) -> Result<Self, Invalid> {
        let text = match value {
            Value::Number(number) => number.to_string(),
            _ => value.as_str().ok_or_else(expected::<Self>)?.trim().to_owned(),
        };
        let seconds = match text.split(':').collect::<Vec<_>>()[..] {
            [seconds] => seconds.parse::<u64>().ok(),
            [hours, minutes, seconds] => {
                let (days, hours) = hours.split_once('.').unwrap_or(("0", hours));
                let parts = [(days, 86_400, u64::MAX), (hours, 3600, 23), (minutes, 60, 59), (seconds, 1, 59)];
                parts.into_iter().try_fold(0u64, |sum, (digits, unit, most)| {
                    let number = digits.parse::<u64>().ok().filter(|&number| number <= most)?;
                    sum.checked_add(number.checked_mul(unit)?)
                })
            }
            _ => None,
        };
        // A hundred years: sums with the time of day stay far from overflow.
        seconds.filter(|&s| s <= 100 * 366 * 86_400).map(Self::from_secs).ok_or_else(expected::<Self>)
    }

    fn write(&self) -> Value {
        let all = self.as_secs();
        let (days, hours, minutes, seconds) = (all / 86_400, all / 3600 % 24, all / 60 % 60, all % 60);
        let days = if days > 0 { format!("{days}.") } else { String::new() };
        format!("{days}{hours:02}:{minutes:02}:{seconds:02}").into()
    }
}

impl SettingValue for Vec<SocketAddr> {
    const FORM: &'static str = "bindings such as 0.0.0.0:143,[::]:143";

    fn read(value: &Value) -> Result<Self, Invalid> {
        let texts: Vec<&str> = match value {
            Value::String(text) => text.split(',').map(str::trim).filter(|text| !text.is_empty()).collect(),
            Value::Array(items) => {
                items.iter().map(Value::as_str).collect::<Option<_>>().ok_or_else(expected::<Self>)?
            }
            _ => return Err(expected::<Self>()),
        };
        texts.into_iter().map(|text| text.trim().parse().map_err(|_| expected::<Self>())).collect()
    }

    fn write(&self) -> Value {
        self.iter().map(|binding| Value::from(binding.to_string())).collect()
    }
}

/// For types that have a fixed list of names, read without regard to case.
fn named<T: SettingValue + Copy>(all: &[T], name: impl Fn(T) -> &'static str, value: &Value) -> Result<T, Invalid> {
    let text = value.as_str().ok_or_else(expected::<T>)?;
    all.iter().copied().find(|&item| name(item).eq_ignore_ascii_case(text.trim())).ok_or_else(expected::<T>)
}

impl SettingValue for ExtendedProtection {
    const FORM: &'static str = "None, Allow or Require";

    fn read(value: &Value) -> Result<Self, Invalid> {
        value.as_str().and_then(|text| Self::parse(text.trim())).ok_or_else(expected::<Self>)
    }

    fn write(&self) -> Value {
        self.name().into()
    }
}

impl SettingValue for bool {
    const FORM: &'static str = "true or false";

    fn read(value: &Value) -> Result<Self, Invalid> {
        // A shell's own spelling has a dollar sign.
        let text = value.as_str().map(|text| text.trim().trim_start_matches('$').to_ascii_lowercase());
        match text.as_deref() {
            Some("true") => Ok(true),
            Some("false") => Ok(false),
            _ => value.as_bool().ok_or_else(expected::<Self>),
        }
    }

    fn write(&self) -> Value {
        (*self).into()
    }
}

impl SettingValue for LoginType {
    const FORM: &'static str = "PlainTextLogin, PlainTextAuthentication or SecureLogin";

    fn read(value: &Value) -> Result<Self, Invalid> {
        // Exchange numbers them as well.
        let text = value.as_u64().map(|number| number.to_string());
        text.as_deref().or(value.as_str()).and_then(|text| Self::parse(text.trim())).ok_or_else(expected::<Self>)
    }

    fn write(&self) -> Value {
        self.name().into()
    }
}

impl SettingValue for StartupType {
    const FORM: &'static str = "Automatic, Manual or Disabled";

    fn read(value: &Value) -> Result<Self, Invalid> {
        named(&Self::ALL, Self::name, value)
    }

    fn write(&self) -> Value {
        self.name().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn duration(text: &str) -> Result<Duration, Invalid> {
        Duration::read(&text.into())
    }

    #[test]
    fn times_are_read_in_each_form_and_written_in_one() {
        for (text, seconds, written) in [
            ("90", 90, "00:01:30"),
            ("00:30:00", 1800, "00:30:00"),
            ("14.00:00:00", 1_209_600, "14.00:00:00"),
            ("0", 0, "00:00:00"),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)));
            assert_eq!(Duration::from_secs(seconds).write(), written);
        }
        for text in ["", "1:2", "00:60:00", "24:00:00", "-1", "99999999999999999999", "4000000000"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_take_units_and_refuse_what_overflows() {
        assert_eq!(u64::read(&"36 MB".into()), Ok(36 << 20));
        assert_eq!(u64::read(&512.into()), Ok(512));
        assert_eq!(u64::read(&"1TB".into()), Ok(1 << 40));
        assert_eq!(u64::read(&"0.5GB".into()), Ok(1 << 29));
        for wrong in ["18446744073709551615KB", "99999999TB", "1.5", "1.GB", ".5GB", "1.-5GB", "1.0000000001GB", "-1"] {
            assert!(u64::read(&wrong.into()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_host_name_is_one_that_a_certificate_and_a_greeting_can_hold() {
        for right in ["", "Mail.Example.Test", "localhost", "192.0.2.1", "2001:db8::1"] {
            assert_eq!(HostName::read(&right.into()).unwrap().as_str(), right.to_ascii_lowercase());
        }
        for wrong in ["é.test", "a b", "-x.test", "a..b", "a@b"] {
            assert!(HostName::read(&wrong.into()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn bindings_come_as_a_list_or_with_commas() {
        let both = Vec::<SocketAddr>::read(&"127.0.0.1:143, [::1]:143".into()).unwrap();
        assert_eq!(Vec::<SocketAddr>::read(&both.write()), Ok(both));
        assert!(Vec::<SocketAddr>::read(&"localhost".into()).is_err());
    }
}

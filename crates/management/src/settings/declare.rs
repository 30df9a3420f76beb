//! The shape of a declaration, and the macro that makes a typed group out of its rows.

use std::ops::RangeInclusive;

use serde_json::Value;

use super::SettingValue;

/// Why a value was refused; the text says what would be accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Invalid(pub String);

/// One setting.
pub struct Declaration {
    pub name: &'static str,
    pub meaning: &'static str,
    /// How a value is written and what it may be, for help.
    pub form: fn() -> String,
    /// Parses, holds to the range and writes back in the form that is kept.
    pub check: fn(&Value) -> Result<Value, Invalid>,
}

pub(super) fn form<T: SettingValue>(range: Option<&RangeInclusive<T>>) -> String {
    range.map_or_else(|| T::FORM.to_owned(), |range| format!("{}, {}", T::FORM, text(range)))
}

pub(super) fn within<T: SettingValue + PartialOrd>(value: T, range: &RangeInclusive<T>) -> Result<T, Invalid> {
    if range.contains(&value) { Ok(value) } else { Err(Invalid(format!("expected {}", text(range)))) }
}

fn text<T: SettingValue>(range: &RangeInclusive<T>) -> String {
    let plain = |value: &T| match value.write() {
        Value::String(text) => text,
        other => other.to_string(),
    };
    format!("from {} to {}", plain(range.start()), plain(range.end()))
}

/// A group of settings: a struct with a typed field for each row, its declarations, and how it is read.
/// `$context` is what defaults may depend on. A row may name the range that its values are held to.
macro_rules! settings_group {
    (
        $(#[$doc:meta])*
        $group:ident ($context:ident : $context_type:ty) named $prefix:expr => {
            $( #[doc = $meaning:literal] $field:ident ($name:literal $(, $range:expr)?): $type:ty = $default:expr; )*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $group {
            $( #[doc = $meaning] pub $field: $type, )*
        }

        impl $group {
            pub const DECLARATIONS: &'static [$crate::settings::Declaration] = &[
                $( $crate::settings::Declaration {
                    name: $name,
                    meaning: $meaning.trim_ascii_start(),
                    form: || $crate::settings::declare::form::<$type>(None $( .or(Some(&$range)) )?),
                    check: |value| {
                        let value = <$type as $crate::settings::SettingValue>::read(value)?;
                        $( let value = $crate::settings::declare::within(value, &$range)?; )?
                        Ok($crate::settings::SettingValue::write(&value))
                    },
                }, )*
            ];

            fn read(map: &store::SettingsMap, $context: $context_type) -> Result<Self, $crate::settings::Invalid> {
                Ok(Self {
                    $( $field: match $crate::settings::stored(map, $prefix, $name) {
                        Some(value) => <$type as $crate::settings::SettingValue>::read(value)?,
                        None => $default,
                    }, )*
                })
            }

            /// Every setting of the group with its value, in the order of the declarations.
            pub fn values(&self) -> Vec<(&'static str, serde_json::Value)> {
                vec![ $( ($name, $crate::settings::SettingValue::write(&self.$field)), )* ]
            }
        }
    };
}

pub(super) use settings_group;

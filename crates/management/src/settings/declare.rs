//! The shape of a declaration, and the macro that makes a typed group out of its rows.

use serde_json::Value;

/// Why a value was refused; the text says what would be accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Invalid(pub String);

/// One setting.
pub struct Declaration {
    pub name: &'static str,
    pub meaning: &'static str,
    /// How a value is written, for help and errors.
    pub form: &'static str,
    /// Parses and writes back in the form that is kept.
    pub check: fn(&Value) -> Result<Value, Invalid>,
}

/// A group of settings: a struct with a typed field for each row, its declarations, and how it is read.
/// `$context` is what defaults may depend on.
macro_rules! settings_group {
    (
        $(#[$doc:meta])*
        $group:ident ($context:ident : $context_type:ty) named $prefix:expr => {
            $( #[doc = $meaning:literal] $field:ident ($name:literal): $type:ty = $default:expr; )*
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
                    form: <$type as $crate::settings::SettingValue>::FORM,
                    check: |value| {
                        <$type as $crate::settings::SettingValue>::read(value)
                            .map(|value| $crate::settings::SettingValue::write(&value))
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

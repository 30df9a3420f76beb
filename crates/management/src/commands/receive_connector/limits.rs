//! A connector's limits as parameters: a row for each.

use serde_json::Value;
use transport::Limits;

use crate::settings::SettingValue;
use crate::{Failure, Given, Kind, Parameter};

/// How a limit is written and read.
struct Row {
    name: &'static str,
    read: fn(&mut Limits, Given<'_>, &str) -> Result<(), Failure>,
    show: fn(&Limits) -> Value,
}

/// Declares parameters and rows alike.
macro_rules! limits {
    ($($name:literal $field:ident $type:ty: $meaning:literal;)*) => {
        pub const PARAMETERS: &[Parameter] = &[SIZE, $(Parameter::new($name, Kind::Text, $meaning),)*];

        const ROWS: &[Row] = &[$(Row {
            name: $name,
            read: |limits, given, name| {
                if let Some(value) = given.read::<$type>(name)? {
                    limits.$field = value.try_into().map_err(|_| Failure(format!("-{name} is too large")))?;
                }
                Ok(())
            },
            show: |limits| <$type>::try_from(limits.$field).map_or(Value::Null, |value| value.write()),
        },)*];
    };
}

limits! {
    "MaxRecipientsPerMessage" max_recipients_per_message u32: "recipients of one message";
    "MaxHeaderSize" max_header_size u64: "octets before a message's empty line";
    "MaxHopCount" max_hop_count u32: "Received fields that a message may come with";
    "MaxProtocolErrors" max_protocol_errors u32: "senseless commands, after which a session ends";
    "MaxLogonFailures" max_logon_failures u32: "failed log-ons, after which a session ends";
    "MaxRefusedRecipients" max_refused_recipients u32: "refused recipients, after which a stranger's session ends";
    "TarpitInterval" tarpit_interval std::time::Duration: "how long a refusal of a stranger's recipient is held back";
    "ConnectionInactivityTimeout" connection_inactivity_timeout std::time::Duration: "how long a client may say nothing";
    "PreAuthenticatedConnectionTimeout" pre_authenticated_connection_timeout std::time::Duration: "how long a session may last without log-on and without a recipient";
}

/// What is not given is the server's.
const SIZE: Parameter = Parameter::new(
    "MaxMessageSize",
    Kind::Text,
    "octets of a message, such as 10MB; unlimited: as large as the server takes",
);

pub fn change(limits: &mut Limits, given: Given<'_>) -> Result<(), Failure> {
    match given.value(SIZE.name) {
        Some(Value::String(text)) if text.eq_ignore_ascii_case("unlimited") => limits.max_message_size = None,
        Some(_) => limits.max_message_size = given.read(SIZE.name)?,
        None => {}
    }
    ROWS.iter().try_for_each(|row| (row.read)(limits, given, row.name))
}

pub fn describe(limits: &Limits) -> impl Iterator<Item = (String, Value)> {
    let size = limits.max_message_size.map_or("unlimited".into(), Value::from);
    let rest = ROWS.iter().map(|row| (row.name.to_owned(), (row.show)(limits)));
    std::iter::once((SIZE.name.to_owned(), size)).chain(rest)
}

//! Settings of SMTP, named as in `Set-ReceiveConnector`.

use std::time::Duration;

use identity::ExtendedProtection;
use store::SettingsMap;
use transport::Limits;

use super::declare::{Invalid, settings_group};

const TIMEOUT: std::ops::RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(24 * 60 * 60);

settings_group! {
    /// What a session may use on every receive connector that says nothing else.
    SmtpSettings (_context: ()) named "Smtp" => {
        /// Whether proofs of a password are bound to TLS (SCRAM's -PLUS, NTLM). Some clients choose it and then cannot do it.
        extended_protection_policy("ExtendedProtectionPolicy"): ExtendedProtection = ExtendedProtection::None;
        /// Recipients of one message (RFC 5321 §4.5.3.1.8: 100 at least).
        max_recipients_per_message("MaxRecipientsPerMessage", 1..=100_000): u32 = 200;
        /// Octets of a message before its empty line.
        max_header_size("MaxHeaderSize", 1024..=64 * 1024 * 1024): u64 = 256 * 1024;
        /// Received fields that a message may come with (RFC 5321 §6.3: 100 are a loop in any case).
        max_hop_count("MaxHopCount", 1..=500): u32 = 60;
        /// Commands that make no sense, after which a session ends.
        max_protocol_errors("MaxProtocolErrors", 1..=100_000): u32 = 5;
        /// Failed log-ons after which a session ends.
        max_logon_failures("MaxLogonFailures", 1..=100_000): u32 = 3;
        /// Refused recipients after which a stranger's session ends.
        max_refused_recipients("MaxRefusedRecipients", 1..=100_000): u32 = 20;
        /// How long a refusal of a stranger's recipient is held back, so that guessing addresses takes long.
        tarpit_interval("TarpitInterval", Duration::ZERO..=Duration::from_secs(10 * 60)): Duration = Duration::from_secs(5);
        /// How long a session may be silent (RFC 5321 §4.5.3.2.7: 5 minutes at least).
        connection_inactivity_timeout("ConnectionInactivityTimeout", TIMEOUT): Duration = Duration::from_secs(5 * 60);
        /// How long a session may last that nobody has logged on to and that had no recipient accepted.
        pre_authenticated_connection_timeout("PreAuthenticatedConnectionTimeout", TIMEOUT): Duration = Duration::from_secs(10 * 60);
    }
}

impl SmtpSettings {
    pub fn load(map: &SettingsMap) -> Result<Self, Invalid> {
        Self::read(map, ())
    }

    /// As the limits of a receive connector.
    pub fn limits(&self) -> Limits {
        Limits {
            max_message_size: None,
            max_recipients_per_message: self.max_recipients_per_message as usize,
            max_header_size: self.max_header_size,
            max_hop_count: self.max_hop_count,
            max_protocol_errors: self.max_protocol_errors,
            max_logon_failures: self.max_logon_failures,
            max_refused_recipients: self.max_refused_recipients,
            tarpit_interval: self.tarpit_interval,
            connection_inactivity_timeout: self.connection_inactivity_timeout,
            pre_authenticated_connection_timeout: self.pre_authenticated_connection_timeout,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connector_of_which_nothing_is_known_has_the_defaults_of_the_settings() {
        assert_eq!(SmtpSettings::load(&SettingsMap::new()).unwrap().limits(), Limits::default());
    }
}

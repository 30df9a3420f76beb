//! Settings of the whole server.

use std::time::Duration;

use store::SettingsMap;

use super::declare::{Invalid, settings_group};

settings_group! {
    /// What all protocols share.
    ServerSettings (_context: ()) named "Server" => {
        /// The name that clients connect to: in greetings, the certificate and Received fields. Empty: the host's own.
        host_name("HostName"): String = String::new();
        /// How long expunged messages can be restored; after it their space is used again.
        deleted_item_retention("DeletedItemRetention"): Duration = Duration::from_secs(14 * 24 * 60 * 60);
        /// Octets of one segment of the store's log: what compaction works on at a time.
        log_segment_size("LogSegmentSize", 1 << 20..=1 << 30): u64 = 64 * 1024 * 1024;
        /// Octets of the largest message, by SMTP and APPEND (RFC 5321 §4.5.3.1.7: 64 KB at least).
        max_message_size("MaxMessageSize", 64 * 1024..=1 << 40): u64 = 36 * 1024 * 1024;
        /// SMTP connections at a time.
        max_smtp_connections("MaxSmtpConnections"): u32 = 20_000;
        /// SMTP connections at a time from one address (one /64 network for IPv6).
        max_smtp_connection_from_single_ip("MaxSmtpConnectionFromSingleIP"): u32 = 200;
        /// SMTP connections at a time that are logged on to one mailbox.
        max_smtp_connections_per_user("MaxSmtpConnectionsPerUser"): u32 = 16;
        /// Failed log-ons a minute from one address (one /64 network for IPv6) over all protocols.
        max_failed_logons_per_minute("MaxFailedLogonsPerMinute"): u32 = 60;
        /// How long a verified password is remembered in memory.
        logon_cache_lifetime("LogonCacheLifetime", Duration::ZERO..=Duration::from_secs(24 * 60 * 60)): Duration = Duration::from_secs(10 * 60);
        /// How long sessions may take to end when the server stops.
        drain_timeout("DrainTimeout", Duration::ZERO..=Duration::from_secs(60)): Duration = Duration::from_secs(10);
    }
}

impl ServerSettings {
    pub fn load(map: &SettingsMap) -> Result<Self, Invalid> {
        Self::read(map, ())
    }
}

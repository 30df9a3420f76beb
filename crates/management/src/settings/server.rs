//! Settings of the whole server.

use std::time::Duration;

use serde_json::Value;
use store::SettingsMap;

use super::HostName;
use super::declare::{Invalid, settings_group};
use super::service::COUNT;

/// Whether a value of a setting means something to a program with Kerberos alone. `name` is the full one.
pub fn needs_kerberos(name: &str, value: &Value) -> bool {
    name == "Server.KerberosKeytab" && value != ""
}

/// What is said of such a value by a program without.
pub const KERBEROS_IS_MISSING: &str =
    "this gatepost was built without Kerberos; cargo build --release --features kerberos makes one that has it";

settings_group! {
    /// What all protocols share.
    ServerSettings (_context: ()) named "Server" => {
        /// The name that clients connect to: in greetings, the certificate and Received fields. Empty: the host's own.
        host_name("HostName"): HostName = HostName::default();
        /// How long expunged messages can be restored; after it their space is used again.
        deleted_item_retention("DeletedItemRetention"): Duration = Duration::from_secs(14 * 24 * 60 * 60);
        /// Messages of one mailbox, all its folders together; beyond it, mail for it is refused for now.
        max_messages_per_mailbox("MaxMessagesPerMailbox", 1..=10_000_000): u32 = 1_000_000;
        /// Octets of one segment of the store's log: what compaction works on at a time.
        log_segment_size("LogSegmentSize", 1 << 20..=1 << 30): u64 = 64 * 1024 * 1024;
        /// Octets of the largest message, by SMTP and APPEND (RFC 5321 §4.5.3.1.7: 64 KB at least).
        max_message_size("MaxMessageSize", 64 * 1024..=1 << 40): u64 = 36 * 1024 * 1024;
        /// SMTP connections at a time.
        max_smtp_connections("MaxSmtpConnections", COUNT): u32 = 20_000;
        /// SMTP connections at a time from one address (one /64 network for IPv6).
        max_smtp_connection_from_single_ip("MaxSmtpConnectionFromSingleIP", COUNT): u32 = 200;
        /// SMTP connections at a time that are logged on to one mailbox.
        max_smtp_connections_per_user("MaxSmtpConnectionsPerUser", COUNT): u32 = 16;
        /// Failed log-ons a minute from one address (one /64 network for IPv6) over all protocols.
        max_failed_logons_per_minute("MaxFailedLogonsPerMinute", COUNT): u32 = 60;
        /// How long a verified password is remembered in memory.
        logon_cache_lifetime("LogonCacheLifetime", Duration::ZERO..=Duration::from_secs(24 * 60 * 60)): Duration = Duration::from_secs(10 * 60);
        /// Passwords hashed at a time, and never more than there are processors: each takes 19 MiB of memory.
        max_concurrent_password_hashes("MaxConcurrentPasswordHashes", 1..=64): u32 = 4;
        /// Passwords from one address (one /64 network for IPv6) that are hashed at a time; the next ones wait.
        max_concurrent_password_hashes_per_address("MaxConcurrentPasswordHashesPerAddress", 1..=64): u32 = 2;
        /// How hard to guess a password has to be to be set, by zxcvbn's score: 0 takes any, 4 takes only the hardest.
        minimum_password_strength("MinimumPasswordStrength", 0..=4): u32 = 1;
        /// How long a password is good for after it was set, by whoever sets it; 0 is without end.
        password_lifetime("PasswordLifetime"): Duration = Duration::ZERO;
        /// Rounds of PBKDF2 for each log-on by SCRAM, for passwords set from then on; Cyrus SASL takes no more than 65536.
        scram_iterations("ScramIterations", 4096..=65_536): u32 = 60_000;
        /// A file with the certificates (PEM) that clients' own are trusted by, for log-on by EXTERNAL. Empty: none is asked for.
        client_certificate_authority("ClientCertificateAuthority"): String = String::new();
        /// A file with the keys (keytab) that tickets of Kerberos are for, for log-on by GSSAPI. Empty: none is taken.
        kerberos_keytab("KerberosKeytab"): String = String::new();
        /// The realm of Kerberos whose users log on, into mailboxes of the default domain. Empty: those named as accepted domains are.
        kerberos_realm("KerberosRealm"): String = String::new();
        /// How long TLS may take to begin.
        tls_handshake_timeout("TlsHandshakeTimeout", Duration::from_secs(1)..=Duration::from_secs(5 * 60)): Duration = Duration::from_secs(30);
        /// How long a client may take nothing of what is sent to it.
        write_stall_timeout("WriteStallTimeout", Duration::from_secs(1)..=Duration::from_secs(60 * 60)): Duration = Duration::from_secs(5 * 60);
        /// How long sessions may take to end when the server stops.
        drain_timeout("DrainTimeout", Duration::ZERO..=Duration::from_secs(60)): Duration = Duration::from_secs(10);
    }
}

impl ServerSettings {
    pub fn load(map: &SettingsMap) -> Result<Self, Invalid> {
        Self::read(map, ())
    }
}

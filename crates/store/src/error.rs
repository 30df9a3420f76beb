//! Why a verb of the store failed, grouped by whose fault it is.

/// The answer of a store verb.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Each says whether trying again can help ([`Error::is_temporary`]). The text is for the log and, where a
/// peer may see it, generic enough to be shown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The user's or the client's: there is no such account, folder or message.
    #[error("{0} does not exist")]
    NotFound(&'static str),
    /// The user's: something of that name is there already.
    #[error("{0} already exists")]
    Exists(&'static str),
    /// The user's: the name or the change makes no sense here; the text tells the cure.
    #[error("{0}")]
    Invalid(String),
    /// The user's: the account's quota is used up.
    #[error("the mailbox is full")]
    OverQuota,
    /// The operator's: a limit, named in the text.
    #[error("{0}")]
    Limit(String),
    /// What was read had expired since: an expunged message past its retention.
    #[error("the message is gone")]
    Gone,
    /// Somebody else holds it (a maildrop lock, a lease).
    #[error("in use by another session")]
    Busy,
    /// The state moved on since the caller read it (UNCHANGEDSINCE, compare-and-set).
    #[error("changed meanwhile")]
    Conflict,
    /// The disk's: full down to the reserve.
    #[error("insufficient system storage")]
    DiskFull,
    /// The store cannot answer now; nothing was changed.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// It is not known whether the change was made; a retry with the same delivery id is safe.
    #[error("outcome unknown: {0}")]
    Unknown(String),
    /// Stored bytes failed their checksum; never served as whole.
    #[error("damaged data: {0}")]
    Corrupt(String),
}

impl Error {
    /// Whether the same request may succeed later without anybody changing it.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Busy | Self::Conflict | Self::DiskFull | Self::Unavailable(_) | Self::Unknown(_) => true,
            Self::NotFound(_)
            | Self::Exists(_)
            | Self::Invalid(_)
            | Self::OverQuota
            | Self::Limit(_)
            | Self::Gone
            | Self::Corrupt(_) => false,
        }
    }
}

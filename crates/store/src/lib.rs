//! The domain of a mail store: what an engine must offer and what every protocol sees.
//!
//! This crate knows accounts, folders, messages and the one order in which they change. It refuses to
//! know files, sockets, threads, clocks or any wire format: engines own the first, protocols the last.
//!
//! Read first: [`Mailboxes`] (the handle that protocols use), [`Listing`] (a folder as one value that
//! sessions share), [`Accept`] (how a message comes in, with one durable point).

mod account;
mod address;
#[cfg(feature = "conformance")]
pub mod conformance;
mod directory;
mod error;
mod flags;
mod folder;
mod folder_tree;
mod id;
mod listing;
mod mailboxes;
pub mod memory;
mod message;
mod message_size;
mod password;
mod settings;
mod source;
mod uid_set;

pub use account::{Account, AccountChange, AppPasswordChange, ClientAccess, FullAccessChange, NewAccount, Protocols};
pub use address::Address;
pub use directory::{AcceptedDomain, Directory};
pub use error::{Error, Result};
pub use flags::{Flags, Keyword};
pub use folder::{Folder, FolderChange, FolderName, Folders, SpecialUse};
pub use folder_tree::FolderEdit;
pub use id::{AccountId, BodyId, DeliveryId, FolderId, MessageId, ModSeq, Uid, UidValidity};
pub use listing::{Difference, FlagsSet, KeywordSet, Listing, Page, Row};
pub use mailboxes::{Applied, Change, FlagChange, Lease, Mailboxes, Unit, Usage, Watch};
pub use message::{Accept, BodyWriter, Content, MessageOutline, Placed, Placement, Staged};
pub use message_size::MessageSize;
pub use password::{AppPassword, AppPasswordDigest, Password, PasswordHash, SealedVerifiers};
pub use settings::{Settings, SettingsMap};
pub use source::{Entry, Source};
pub use uid_set::UidSet;

/// What every asynchronous verb returns: engines are chosen at run time, so their futures are boxed.
pub type Future<'a, T> = std::pin::Pin<Box<dyn std::future::Future<Output = T> + Send + 'a>>;

/// Seconds since 1970-01-01T00:00:00Z. Time is passed in: the store has no clock of its own.
pub type Timestamp = i64;

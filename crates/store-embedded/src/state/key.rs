//! Keys: a table and big-endian fields, so that octets sort as numbers do.

use smallvec::SmallVec;
use store::{AccountId, Address, BodyId, DeliveryId, FolderId, MessageId, Timestamp, Uid};

use crate::log::SegmentId;

/// The kinds of rows. The number is the format: it is the first octet of a key in memory and names the table on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Table {
    Meta = 0,
    Account = 1,
    Address = 2,
    AccountState = 3,
    Folder = 4,
    FolderMeta = 5,
    FolderKeywords = 6,
    Page = 7,
    Message = 8,
    Body = 9,
    Outline = 10,
    /// (message, folder, uid): the message is in the folder, or was and is retained.
    Reference = 11,
    /// (when, folder, first uid): a page of expunged rows.
    Expunged = 12,
    /// (generation, account, delivery id): what was placed.
    Delivery = 13,
    Segment = 14,
    Setting = 15,
    SubscribedNames = 16,
    /// The number of a large body's file, so that files which nothing names are found at a start.
    File = 17,
}

impl Table {
    pub const ALL: [(Self, &'static str); 18] = [
        (Self::Meta, "meta"),
        (Self::Account, "account"),
        (Self::Address, "address"),
        (Self::AccountState, "account-state"),
        (Self::Folder, "folder"),
        (Self::FolderMeta, "folder-meta"),
        (Self::FolderKeywords, "folder-keywords"),
        (Self::Page, "page"),
        (Self::Message, "message"),
        (Self::Body, "body"),
        (Self::Outline, "outline"),
        (Self::Reference, "reference"),
        (Self::Expunged, "expunged"),
        (Self::Delivery, "delivery"),
        (Self::Segment, "segment"),
        (Self::Setting, "setting"),
        (Self::SubscribedNames, "subscribed-names"),
        (Self::File, "file"),
    ];

    pub fn of(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).map(|(table, _)| *table)
    }
}

/// A row's table and key. Keys of fixed fields need no memory of their own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    /// The table and the first fifteen octets as one number: it decides nearly every comparison.
    head: u128,
    octets: SmallVec<[u8; 32]>,
}

impl Key {
    pub fn new(table: Table, fields: &[&[u8]]) -> Self {
        let mut octets = SmallVec::new();
        octets.push(table as u8);
        fields.iter().for_each(|field| octets.extend_from_slice(field));
        let head = octets.first_chunk().copied().unwrap_or_else(|| {
            let mut head = [0; 16];
            head.iter_mut().zip(&octets).for_each(|(head, octet)| *head = *octet);
            head
        });
        Self { head: u128::from_be_bytes(head), octets }
    }

    pub fn table(&self) -> Table {
        self.octets.first().and_then(|number| Table::of(*number)).unwrap_or(Table::Meta)
    }

    /// Without the table.
    pub fn octets(&self) -> &[u8] {
        self.octets.get(1..).unwrap_or_default()
    }

    pub fn counters() -> Self {
        Self::new(Table::Meta, &[b"counters"])
    }

    pub fn progress() -> Self {
        Self::new(Table::Meta, &[b"progress"])
    }

    pub fn domains() -> Self {
        Self::new(Table::Meta, &[b"domains"])
    }

    pub fn account(id: AccountId) -> Self {
        Self::new(Table::Account, &[&id.0.to_be_bytes()])
    }

    pub fn address(address: &Address) -> Self {
        Self::new(Table::Address, &[address.as_str().as_bytes()])
    }

    pub fn account_state(id: AccountId) -> Self {
        Self::new(Table::AccountState, &[&id.0.to_be_bytes()])
    }

    pub fn subscribed_names(id: AccountId) -> Self {
        Self::new(Table::SubscribedNames, &[&id.0.to_be_bytes()])
    }

    pub fn folder(id: FolderId) -> Self {
        Self::new(Table::Folder, &[&id.0.to_be_bytes()])
    }

    pub fn folder_meta(id: FolderId) -> Self {
        Self::new(Table::FolderMeta, &[&id.0.to_be_bytes()])
    }

    pub fn folder_keywords(id: FolderId) -> Self {
        Self::new(Table::FolderKeywords, &[&id.0.to_be_bytes()])
    }

    pub fn page(folder: FolderId, first: u32) -> Self {
        Self::new(Table::Page, &[&folder.0.to_be_bytes(), &first.to_be_bytes()])
    }

    pub fn message(id: MessageId) -> Self {
        Self::new(Table::Message, &[&id.0.to_be_bytes()])
    }

    pub fn body(id: BodyId) -> Self {
        Self::new(Table::Body, &[&id.0.to_be_bytes()])
    }

    pub fn outline(id: BodyId) -> Self {
        Self::new(Table::Outline, &[&id.0.to_be_bytes()])
    }

    pub fn reference(message: MessageId, folder: FolderId, uid: u32) -> Self {
        Self::new(Table::Reference, &[&message.0.to_be_bytes(), &folder.0.to_be_bytes(), &uid.to_be_bytes()])
    }

    pub fn expunged(at: Timestamp, folder: FolderId, first: u32) -> Self {
        // The sign is flipped, so that times before 1970 sort first.
        let at = (at as u64) ^ (1 << 63);
        Self::new(Table::Expunged, &[&at.to_be_bytes(), &folder.0.to_be_bytes(), &first.to_be_bytes()])
    }

    /// When, where, and the first UID of a page of expunged rows.
    pub fn parse_expunged(&self) -> Option<(Timestamp, FolderId, Uid)> {
        let (at, rest) = self.octets().split_first_chunk()?;
        let (folder, rest) = rest.split_first_chunk()?;
        let (first, _) = rest.split_first_chunk()?;
        let at = (u64::from_be_bytes(*at) ^ (1 << 63)) as Timestamp;
        Some((at, FolderId(u64::from_be_bytes(*folder)), Uid::new(u32::from_be_bytes(*first))?))
    }

    pub fn delivery(generation: u32, account: AccountId, id: DeliveryId) -> Self {
        Self::new(Table::Delivery, &[&generation.to_be_bytes(), &account.0.to_be_bytes(), &id.0.to_be_bytes()])
    }

    pub fn segment(id: SegmentId) -> Self {
        Self::new(Table::Segment, &[&id.0.to_be_bytes()])
    }

    pub fn file(number: u64) -> Self {
        Self::new(Table::File, &[&number.to_be_bytes()])
    }

    pub fn setting(name: &str) -> Self {
        Self::new(Table::Setting, &[name.as_bytes()])
    }

    /// The first field as a number of eight octets.
    pub fn leading_u64(&self) -> Option<u64> {
        Some(u64::from_be_bytes(*self.octets().first_chunk()?))
    }

    /// The first field as a number of four octets.
    pub fn leading_u32(&self) -> Option<u32> {
        Some(u32::from_be_bytes(*self.octets().first_chunk()?))
    }

    /// The least key above this one.
    pub fn successor(&self) -> Self {
        Self::new(self.table(), &[self.octets(), &[0]])
    }

    /// The least key of a table.
    pub fn first(table: Table) -> Self {
        Self::new(table, &[])
    }

    /// Above every key of a table that the engine makes.
    pub fn last(table: Table) -> Self {
        Self::new(table, &[&[0xff; 64]])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_sort_as_their_octets_do_whatever_their_length() {
        let fields: [&[u8]; 8] = [
            b"",
            b"\0",
            b"fifteen octets.",
            b"fifteen octets.\0",
            b"fifteen octets.and more of them than stand in the key",
            b"fifteen octets.and more of them than stand in the key itself",
            b"fifteen octetsz",
            &[0xff; 64],
        ];
        for table in [Table::Meta, Table::Reference] {
            let keys = fields.map(|octets| Key::new(table, &[octets]));
            assert!(keys.is_sorted(), "{keys:?}");
            assert_eq!(keys.each_ref().map(Key::octets), fields);
            assert_eq!(keys[7], Key::last(table));
        }
        assert!(Key::last(Table::Meta) < Key::first(Table::Account));
    }
}

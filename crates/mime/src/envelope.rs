use crate::address::AddrSpec;

/// The header fields that IMAP's ENVELOPE tells of (RFC 3501 §7.4.2), of the message or of a message within it.
///
/// Values are as sent: unfolded, without the blanks around them, RFC 2047 words not decoded. Of a field that may occur
/// once the first counts; the addresses of repeated fields are joined.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Envelope {
    pub date: Option<Vec<u8>>,
    pub subject: Option<Vec<u8>>,
    pub from: Vec<Address>,
    pub sender: Vec<Address>,
    pub reply_to: Vec<Address>,
    pub to: Vec<Address>,
    pub cc: Vec<Address>,
    pub bcc: Vec<Address>,
    pub in_reply_to: Option<Vec<u8>>,
    pub message_id: Option<Vec<u8>>,
}

impl Envelope {
    /// The `Sender:` addresses, else those of `From:` (RFC 3501 §7.4.2).
    pub fn effective_sender(&self) -> &[Address] {
        if self.sender.is_empty() { &self.from } else { &self.sender }
    }

    /// The `Reply-To:` addresses, else those of `From:` (RFC 3501 §7.4.2).
    pub fn effective_reply_to(&self) -> &[Address] {
        if self.reply_to.is_empty() { &self.from } else { &self.reply_to }
    }
}

/// One address as IMAP's ENVELOPE lists it (RFC 3501 §7.4.2), its quoting removed.
///
/// Groups are marked in the list: a start has no `host` and the group's name as `mailbox`, an end has neither. A mailbox
/// that was sent without a domain has an empty `host`, never `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Address {
    /// The display name, RFC 2047 words not decoded; of `ann@example.test (Ann)` the comment.
    pub name: Option<Vec<u8>>,
    /// The source route (`@a,@b`), obsolete since RFC 5322 §4.4.
    pub route: Option<Vec<u8>>,
    pub mailbox: Option<Vec<u8>>,
    pub host: Option<Vec<u8>>,
}

impl Address {
    pub fn is_group_start(&self) -> bool {
        self.host.is_none() && self.mailbox.is_some()
    }

    pub fn is_group_end(&self) -> bool {
        self.host.is_none() && self.mailbox.is_none()
    }

    /// `mailbox@host`, with the mailbox quoted where RFC 5321 §4.1.2 needs it; empty for a group marker.
    pub fn addr_spec(&self) -> AddrSpec<'_> {
        AddrSpec::new(self)
    }
}

//! Keys that the envelope or the header answers.

use mime::Address;
use proto::imap::command::{Date, SearchKey};
use store::{Mailboxes, MessageId, MessageOutline};

use super::matcher::{contains, fold};
use crate::reply::Step;

/// `None` for keys that need more than the outline.
pub fn test(key: &SearchKey, message: &MessageOutline) -> Option<bool> {
    let envelope = message.outline.envelope();
    let sent = || sent_on(envelope.date.as_deref()?);
    Some(match key {
        // RFC 3501 §6.4.4: the date as it stands there, whatever its time and zone.
        SearchKey::SentBefore(date) => sent().is_some_and(|sent| sent < *date),
        SearchKey::SentOn(date) => sent().is_some_and(|sent| sent == *date),
        SearchKey::SentSince(date) => sent().is_some_and(|sent| sent >= *date),
        SearchKey::From(text) => in_addresses(&envelope.from, text),
        SearchKey::To(text) => in_addresses(&envelope.to, text),
        SearchKey::Cc(text) => in_addresses(&envelope.cc, text),
        SearchKey::Bcc(text) => in_addresses(&envelope.bcc, text),
        SearchKey::Subject(text) => in_value(envelope.subject.as_deref(), text),
        // What clients look for most; spares reading the header.
        SearchKey::Header { name, value } if name.eq_ignore_ascii_case("Message-ID") => {
            in_value(envelope.message_id.as_deref(), value)
        }
        _ => return None,
    })
}

fn sent_on(value: &[u8]) -> Option<Date> {
    let date = mime::date::parse(value)?.civil();
    Date::new(u16::try_from(date.year).ok()?, date.month, date.day)
}

fn in_value(value: Option<&[u8]>, text: &str) -> bool {
    value.is_some_and(|value| contains(&mime::word::decode(value), &fold(text)))
}

fn in_addresses(addresses: &[Address], text: &str) -> bool {
    let text = fold(text);
    addresses.iter().any(|address| {
        let shown = match (&address.mailbox, &address.host) {
            // A group, by its name.
            (Some(name), None) => mime::word::decode(name),
            _ => {
                let name = address.name.as_deref().map(mime::word::decode).unwrap_or_default();
                format!("{name} <{}>", address.addr_spec())
            }
        };
        contains(&shown, &text)
    })
}

/// The header as far as it is interpreted.
pub async fn read(mailboxes: &dyn Mailboxes, message: MessageId, outline: &MessageOutline) -> Vec<u8> {
    let end = (u64::from(outline.prefix) + outline.outline.root().header.end).min(Step::MAX_READ);
    let mut block = Vec::new();
    while (block.len() as u64) < end {
        let at = block.len() as u64;
        match mailboxes.read(message, at..end.min(at + store::Unit::CHUNK)).await {
            Ok(octets) if !octets.is_empty() => block.extend_from_slice(&octets),
            // What cannot be read holds no text that could be found.
            _ => break,
        }
    }
    block
}

/// `None` for keys that need the body.
pub fn test_block(key: &SearchKey, block: &[u8]) -> Option<bool> {
    match key {
        SearchKey::Header { name, value } => {
            let value = fold(value);
            let found = |field: mime::header::Field<'_>| field.is(name.as_bytes()) && contains(&field.text(), &value);
            Some(mime::header::fields(block).any(found))
        }
        // Header or body: what stands in the header is found here.
        SearchKey::Text(text) => {
            let text = fold(text);
            mime::header::fields(block).any(|field| contains(&line(&field), &text)).then_some(true)
        }
        // The empty text is in every body.
        SearchKey::Body(text) if text.is_empty() => Some(true),
        _ => None,
    }
}

/// A field for people, as one line.
pub fn line(field: &mime::header::Field<'_>) -> String {
    format!("{}: {}", String::from_utf8_lossy(field.name), field.text())
}
